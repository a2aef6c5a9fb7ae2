package check_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// The judges of objects are compared with exhaustive search on small random histories.
// The reference tries all orders of what happened and of any part of what may have
// happened. It shares no code with the judges.
var (
	objectHistories = flag.Int("check.objects", 1000, "how many random histories of each kind the judges of objects are compared on")
	objectSeed      = flag.Uint64("check.objects.seed", 1, "the seed of those histories")
)

// kind is a kind of random history, and what is to be said of it.
type kind struct {
	name      string
	draw      func(*rand.Rand) history
	reference func(history) bool // whether the promise was kept
	judge     func(history) error
	balance   float64 // each verdict comes up in at least so many of the histories
}

var _ = Describe("Judging small histories, as exhaustive search judges them", func() {
	kinds := []kind{
		{"registers", drawRegisters, linearizableByAllOrders(registerSemantics), check.Linearizable, 0.1},
		{"counters", drawCounters, linearizableByAllOrders(counterSemantics), check.Counted, 0.1},
		{"banks that an operation opens", func(r *rand.Rand) history { return drawBank(r, true) }, soundBank, check.Total, 0.1},
		{"banks that nothing opens", func(r *rand.Rand) history { return drawBank(r, false) }, soundBank, check.Total, 0.1},
		{"sets", drawSets, linearizableByAllOrders(setSemantics), check.Durable, 0.1},
		{"unique values", drawUnique, linearizableByAllOrders(setSemantics), check.OnlyOnce, 0.1},
	}
	for _, k := range kinds {
		It("agrees on "+k.name, func() {
			verdicts := make(map[bool]int)
			for i := range *objectHistories {
				h := k.draw(rand.New(rand.NewPCG(*objectSeed, uint64(i))))
				want, err := k.reference(h), k.judge(h)
				verdicts[want]++
				if errors.Is(err, check.ErrNothing) {
					err = nil
				}
				Expect(err == nil).To(Equal(want), "history %d: %v\n%s", i, err, inWords(h))
				if !want {
					Expect(errors.As(err, new(*check.Violation))).To(BeTrue(), "history %d: %v\n%s", i, err, inWords(h))
				}
			}
			least := int(math.Ceil(k.balance * float64(*objectHistories)))
			Expect(verdicts[true]).To(BeNumerically(">=", least), "%v", verdicts)
			Expect(verdicts[false]).To(BeNumerically(">=", least), "%v", verdicts)
			AddReportEntry("kept and broken", fmt.Sprint(verdicts), ReportEntryVisibilityFailureOrVerbose)
		})
	}
})

func inWords(h history) string {
	var b strings.Builder
	for _, e := range h {
		fmt.Fprintf(&b, "%4d to %4d  %-7s level %q final %v unread %v  %s\n", e.At.Sub(begun)/time.Millisecond,
			e.End().Sub(begun)/time.Millisecond,
			e.Op.Outcome, e.Op.Level, e.Op.Final, e.Op.Unread, e)
	}
	return b.String()
}

// state is what all keys hold, in the words of the reference.
type state map[string][]int64

// semantics tells what an operation does to a state: the state after it, and whether
// what it says it read is what it would have read. Trusted tells whether that counts.
type semantics func(s state, e journal.Event, trusted bool) (state, bool)

// linearizableByAllOrders tries all orders that fit time.
func linearizableByAllOrders(apply semantics) func(history) bool {
	return func(h history) bool {
		var ops history
		for _, e := range h {
			if e.Op.Outcome != failed {
				ops = append(ops, e)
			}
		}
		return orderFrom(apply, ops, make([]bool, len(ops)), state{})
	}
}

func orderFrom(apply semantics, ops history, used []bool, s state) bool {
	complete := true
	for i, e := range ops {
		if used[i] || e.Op.Outcome != ok {
			continue
		}
		complete = false
	}
	if complete {
		return true
	}
	for i, e := range ops {
		if used[i] || tooEarly(ops, used, i) {
			continue
		}
		next, can := apply(s, e, e.Op.Outcome == ok && !e.Op.Unread && (e.Op.Final || e.Op.Level == strong))
		if !can {
			continue
		}
		used[i] = true
		if orderFrom(apply, ops, used, next) {
			return true
		}
		used[i] = false
	}
	return false
}

// tooEarly tells whether something that has yet to take effect had ended when the
// operation began, or whether everything had come to rest before it took effect.
func tooEarly(ops history, used []bool, i int) bool {
	for j, other := range ops {
		switch {
		case j == i:
		case used[j] && other.Op.Final && !ops[i].Op.Final:
			return true
		case !used[j] && other.Op.Outcome == ok && wholly(other, ops[i]):
			return true
		}
	}
	return false
}

// wholly tells whether one operation lies before another in time.
func wholly(a, b journal.Event) bool {
	if a.Op.Final != b.Op.Final {
		return b.Op.Final
	}
	return a.At.Add(a.Took).Before(b.At)
}
