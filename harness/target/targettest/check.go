package targettest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Check is one promise that an adapter must keep.
type Check struct {
	// Name completes the sentence "An adapter …".
	Name string
	// Needs are the abilities without which the check is skipped.
	Needs []target.Ability
	// Nodes is the smallest cluster that the check is possible on; 0 is any.
	Nodes int
	// Alone needs a cluster of its own, which it may leave in any state, and no other beside it.
	Alone bool

	run func(ctx context.Context, s *subject) error
}

// Checks returns all checks, those that need a cluster of their own last.
func Checks() []Check {
	all := slices.Concat(ofSQL(), ofIsolation(), ofOutcomes(), ofStatus(), ofLives(), ofLinks(), ofExtras(), ofPlaces(),
		ofDisks(), ofMembers(), ofEnds())
	slices.SortStableFunc(all, func(a, b Check) int {
		return cmp.Compare(last(a), last(b))
	})
	return all
}

func last(c Check) int {
	if c.Alone {
		return 1
	}
	return 0
}

// Violation is what an adapter does wrong.
type Violation struct {
	Method string // to look at, such as Cluster.Isolate
	What   string
}

// Error is the violation as a sentence.
func (v *Violation) Error() string { return fmt.Sprintf("%s (look at %s)", v.What, v.Method) }

// wrong returns a violation.
func wrong(method, format string, args ...any) error {
	return &Violation{Method: method, What: fmt.Sprintf(format, args...)}
}

// Skipped is why a check was not run.
type Skipped struct{ Reason string }

func (s *Skipped) Error() string { return s.Reason }

// Options are how the checks are run. The zero value works.
type Options struct {
	// Nodes is the size of clusters; default 3. Smaller ones leave out most checks.
	Nodes int
	// Patience is how long a check waits for what must come, such as a boot or a new leader; default 30 s.
	Patience time.Duration
	// Silence is how long a check waits for what must not come, such as the answer of an isolated node; default 200 ms.
	// A database that answers later than that hides its faults.
	Silence time.Duration
	// Dir is the folder in which the target makes its files. With it, what a closed cluster leaves there is found; default
	// none.
	Dir string
	// Each bounds each check as a whole; default 2 minutes.
	Each time.Duration
	// Quiet is called before a check of what a cluster leaves in this process. It closes other clusters that start goroutines
	// meanwhile, such as those of package lasting; default none.
	Quiet func() error
}

func (o Options) filled() Options {
	o.Nodes = cmp.Or(o.Nodes, 3)
	o.Patience = cmp.Or(o.Patience, 30*time.Second)
	o.Silence = cmp.Or(o.Silence, 200*time.Millisecond)
	o.Each = cmp.Or(o.Each, 2*time.Minute)
	if o.Quiet == nil {
		o.Quiet = func() error { return nil }
	}
	return o
}

// Try boots a cluster of the target, runs a check on it, and closes it. It returns nil if the adapter keeps the promise,
// *Skipped if the check is not for the target, and any other error, mostly a *Violation, if the adapter is wrong. It blocks
// for as long as the options let it.
func Try(ctx context.Context, t target.Target, c Check, o Options) error {
	o = o.filled()
	ctx, cancel := context.WithTimeout(ctx, o.Each)
	defer cancel()
	s, err := boot(ctx, t, o)
	if err != nil {
		return err
	}
	err = s.check(ctx, c)
	if closed := s.shut(); closed != nil {
		return errors.Join(err, closed)
	}
	return err
}

// check runs a check, unless it is not for the cluster.
func (s *subject) check(ctx context.Context, c Check) error {
	for _, ability := range c.Needs {
		if !target.Can(s.Cluster, ability) {
			return &Skipped{fmt.Sprintf("the target cannot %s", ability)}
		}
	}
	if s.o.Nodes < c.Nodes {
		return &Skipped{fmt.Sprintf("the check needs %d nodes, and the cluster has %d", c.Nodes, s.o.Nodes)}
	}
	return c.run(ctx, s)
}
