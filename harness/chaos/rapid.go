package chaos

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rapids is held while rapid shrinks: its settings are flags of the process.
var rapids sync.Mutex

// minimize has rapid draw the value of a seed, which fails, and shrink it for so
// long, or until ctx ends. fails is told every value that rapid tries; it must say the
// same each time.
func minimize[V any](ctx context.Context, seed uint64, budget time.Duration, generator *rapid.Generator[V], fails func(V) bool) {
	if budget <= 0 || ctx.Err() != nil {
		return
	}
	rapids.Lock()
	defer rapids.Unlock()
	if !flag.Parsed() { // in no test: rapid asks what only parsed flags can tell
		testing.Init()
		_ = flag.CommandLine.Parse(nil)
	}
	defer setFlags(map[string]string{
		"rapid.seed": strconv.FormatUint(seed, 10), "rapid.checks": "1",
		"rapid.shrinktime": budget.String(), "rapid.nofailfile": "true",
	})()
	var done sync.WaitGroup
	done.Go(func() { // which rapid may end
		rapid.Check(&silent{}, func(t *rapid.T) {
			if ctx.Err() != nil {
				runtime.Goexit() // rapid knows no other way to end early
			}
			if fails(generator.Draw(t, "value")) {
				t.Fatal("it fails")
			}
		})
	})
	done.Wait()
}

// setFlags sets flags of the process, and returns how to set them back.
func setFlags(to map[string]string) (back func()) {
	before := make(map[string]string)
	for name, value := range to {
		before[name] = flag.Lookup(name).Value.String()
		if err := flag.Set(name, value); err != nil {
			panic(fmt.Sprintf("flag %s: %v", name, err))
		}
	}
	return func() {
		for name, value := range before {
			_ = flag.Set(name, value)
		}
	}
}

// silent is a test that takes its failure to itself.
type silent struct{ failed bool }

var _ rapid.TB = (*silent)(nil)

func (*silent) Helper()                 {}
func (*silent) Name() string            { return "chaos" }
func (*silent) Logf(string, ...any)     {}
func (*silent) Log(...any)              {}
func (s *silent) Skipf(string, ...any)  { s.SkipNow() }
func (s *silent) Skip(...any)           { s.SkipNow() }
func (*silent) SkipNow()                { runtime.Goexit() }
func (s *silent) Errorf(string, ...any) { s.Fail() }
func (s *silent) Error(...any)          { s.Fail() }
func (s *silent) Fatalf(string, ...any) { s.FailNow() }
func (s *silent) Fatal(...any)          { s.FailNow() }
func (s *silent) FailNow()              { s.Fail(); runtime.Goexit() }
func (s *silent) Fail()                 { s.failed = true }
func (s *silent) Failed() bool          { return s.failed }
