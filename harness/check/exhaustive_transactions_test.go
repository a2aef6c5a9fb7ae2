package check_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// transactionLevels are the levels, with how exhaustive search decides them.
var transactionLevels = []struct {
	name      string
	judge     func(history) error
	reference func(history) bool
	allows    []string // anomalies
}{
	{"read committed", check.ReadCommitted, func(h history) bool { return avoidsPhenomena(h, false) },
		[]string{"G-single", "G-nonadjacent", "G2", "realtime"}},
	{"snapshot isolation", check.SnapshotIsolation, hasSnapshots, []string{"G2", "realtime"}},
	{"repeatable read", check.RepeatableRead, func(h history) bool { return avoidsPhenomena(h, true) }, []string{"realtime"}},
	{"serializable", check.Serializable, func(h history) bool { return hasSerialOrder(h, false) }, []string{"realtime"}},
	{"strictly serializable", check.StrictlySerializable, func(h history) bool { return hasSerialOrder(h, true) }, nil},
}

// number is an environment variable, for longer runs and for those to be repeated.
func number(variable string, otherwise uint64) uint64 {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	Expect(err).NotTo(HaveOccurred(), variable)
	return n
}

// CHECK_HISTORIES is how many histories each level of each model is judged on, and
// CHECK_SEED makes them others.
var _ = Describe("Judges of transactions agree with exhaustive search", func() {
	for _, model := range []journal.Model{journal.List, journal.Registers} {
		for _, l := range transactionLevels {
			It(fmt.Sprintf("on small histories, model %s, level %s", model, l.name), func() {
				r := rand.New(rand.NewPCG(number("CHECK_SEED", 1), 1))
				counts := map[bool]int{}
				histories := number("CHECK_HISTORIES", 2000)
				for n := range histories {
					h := randomTransactions(r, model)
					holds := l.reference(h)
					counts[holds]++
					if disagrees(l.judge, holds, h) {
						h = smaller(h, func(h history) bool { return disagrees(l.judge, l.reference(h), h) })
						Fail(fmt.Sprintf("history %d: %s holds: %v, and the judge says: %v\n%s", n, l.name, l.reference(h), l.judge(h), told(h)))
					}
					if err := l.judge(h); err != nil {
						for _, anomaly := range l.allows {
							Expect(err.Error()).NotTo(ContainSubstring(anomaly), "history %d\n%s", n, told(h))
						}
					}
				}
				AddReportEntry("verdicts", ReportEntryVisibilityFailureOrVerbose, fmt.Sprintf("%d hold, %d do not", counts[true], counts[false]))
				Expect(counts[true]).To(BeNumerically(">", histories/10))
				Expect(counts[false]).To(BeNumerically(">", histories/10))
			})
		}
	}
})

// disagrees tells whether a judge is wrong. Without a known read it has to refuse.
func disagrees(judge func(history) error, holds bool, h history) bool {
	err := judge(h)
	_, violated := errors.AsType[*check.Violation](err)
	switch {
	case !slices.ContainsFunc(h, func(e journal.Event) bool { return e.Op.Outcome == ok && !e.Op.Unread && reads(e.Op) }):
		return !errors.Is(err, check.ErrNothing) || !holds
	case err != nil && !violated:
		return true
	}
	return violated == holds
}

func reads(op *journal.Op) bool {
	return slices.ContainsFunc(op.Steps, func(s journal.Step) bool { return s.Do == journal.Read })
}

// smaller leaves out operations and steps as long as the history is wrong.
func smaller(h history, wrong func(history) bool) history {
	for i := 0; i < len(h); i++ {
		if less := slices.Delete(slices.Clone(h), i, i+1); len(less) > 0 && wrong(less) {
			return smaller(less, wrong)
		}
	}
	for i, e := range h {
		for j := 0; j < len(e.Op.Steps) && len(e.Op.Steps) > 1; j++ {
			less, op := slices.Clone(h), *e.Op
			op.Steps = slices.Delete(slices.Clone(op.Steps), j, j+1)
			less[i].Op = &op
			if wrong(less) {
				return smaller(less, wrong)
			}
		}
	}
	return h
}

func told(h history) string {
	var b strings.Builder
	for _, e := range h {
		fmt.Fprintf(&b, "%v to %v, level %q, final %v, unread %v: %v\n",
			e.At.Sub(begun), e.End().Sub(begun), e.Op.Level, e.Op.Final, e.Op.Unread, e)
	}
	return b.String()
}
