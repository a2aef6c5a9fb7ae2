package virtual

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
)

// Goroutine is one goroutine in a dump of the runtime.
type Goroutine struct {
	ID    string
	State string // for example "chan receive (durable)"
	Stack string // functions and positions, one per line
}

// Goroutines are the goroutines of one bubble.
type Goroutines []Goroutine

// shown is the maximum number of different stacks to show.
const shown = 40

// String formats the goroutines with their stacks. Goroutines with equal stacks are grouped.
func (gs Goroutines) String() string {
	type group struct {
		Goroutine
		ids []string
	}
	var groups []*group
	for _, g := range gs {
		same := slices.IndexFunc(groups, func(o *group) bool { return o.Stack == g.Stack && o.State == g.State })
		if same < 0 {
			groups = append(groups, &group{Goroutine: g})
			same = len(groups) - 1
		}
		groups[same].ids = append(groups[same].ids, g.ID)
	}
	var b strings.Builder
	for i, g := range groups {
		if i == shown {
			fmt.Fprintf(&b, "and %d more stacks\n", len(groups)-shown)
			break
		}
		fmt.Fprintf(&b, "goroutine %s [%s]:\n%s\n", strings.Join(g.ids, ", "), g.State, g.Stack)
	}
	return b.String()
}

// goroutinesOf returns the goroutines of a bubble, except for the root and the main goroutine, which belong to this
// package.
func goroutinesOf(bubble int64) Goroutines {
	var found Goroutines
	for block := range strings.SplitSeq(dump(), "\n\n") {
		head, stack, _ := strings.Cut(block, "\n")
		if inbubble.In(head) != bubble || machinery(stack) {
			continue
		}
		id, state, _ := strings.Cut(strings.TrimPrefix(head, "goroutine "), " [")
		state, _, _ = strings.Cut(state, ", "+inbubble.Mark)
		found = append(found, Goroutine{ID: id, State: strings.TrimSuffix(state, "]:"), Stack: abridge(stack)})
	}
	return found
}

// machinery reports whether the stack belongs to a goroutine that holds a bubble.
func machinery(stack string) bool {
	for _, own := range []string{
		"testing/synctest.Test(", "testing/synctest.testingSynctestTest(", "virtual.(*bubble).inside(", "virtual.(*job).watch(",
	} {
		if strings.Contains(stack, own) {
			return true
		}
	}
	return false
}

// abridge removes arguments and addresses, so that equal stacks compare equal.
func abridge(stack string) string {
	var b strings.Builder
	for line := range strings.Lines(stack) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "\t") {
			line, _, _ = strings.Cut(line, " +0x")
		} else if at := strings.LastIndexByte(line, '('); at > 0 && strings.HasSuffix(line, ")") {
			line = line[:at]
		} else {
			line, _, _ = strings.Cut(line, " in goroutine ")
		}
		b.WriteString("  " + line + "\n")
	}
	return b.String()
}

// dump returns the stacks of all goroutines of the process.
func dump() string {
	for size := 1 << 20; ; size *= 2 {
		buffer := make([]byte, size)
		if n := runtime.Stack(buffer, true); n < size || size >= 64<<20 {
			return string(buffer[:n])
		}
	}
}
