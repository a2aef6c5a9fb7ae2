package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/defects"
)

var _ = Describe("A bug between two goroutines", func() {
	d := defects.Defect{Name: "in-between", Kind: "interleaving", Text: "two at once", About: "suite:together", Between: true}
	asked := options{seed: 5, orders: 4, yield: 0.25, again: 2, limit: time.Minute}

	// acting is a suite that is a shell script. The lines set the variable fails if the suite is to fail. The file
	// calls counts the calls.
	acting := func(lines string) *suite {
		GinkgoHelper()
		dir := GinkgoT().TempDir()
		s := &suite{dir: dir, root: dir, binary: filepath.Join(dir, "suite.test")}
		s.toolchain.Exact = true
		good := reportOf(spec("reads", types.SpecStatePassed, time.Second, "suite:together"))
		bad := reportOf(spec("reads", types.SpecStateFailed, time.Second, "suite:together"))
		script := fmt.Sprintf(`#!/bin/sh
for word in "$@"; do case "$word" in
-ginkgo.json-report=*) report="${word#*=}" ;;
-ginkgo.focus=*) focus="${word#*=}" ;;
-ginkgo.seed=*) seed="${word#*=}" ;;
esac; done
echo x >>%q
calls=$(wc -l <%q)
fails=
%s
if [ "$fails" ]; then cp %q "$report"; exit 1; fi
cp %q "$report"
`, filepath.Join(dir, "calls"), filepath.Join(dir, "calls"), lines, bad, good)
		Expect(os.WriteFile(s.binary, []byte(script), 0o700)).To(Succeed())
		return s
	}
	const inOrder3 = `[ "$REJOIN_DEFECT $REJOIN_INTERLEAVE $REJOIN_YIELD $seed" = "in-between 3 0.25 5" ] && fails=1`

	It("is searched for in interleavings, and reproduced by the printed line", func(ctx SpecContext) {
		v, err := acting(inOrder3).search(ctx, d, asked)
		Expect(err).NotTo(HaveOccurred())
		Expect(v.caught()).To(BeTrue())
		Expect([]any{v.runs, v.trial.interleave, v.trial.labels}).To(Equal([]any{3, uint64(3), "suite:together"}))
		Expect(v.again()).To(Equal("make replay SEED=5 SPEC=reads INTERLEAVE=3 YIELD=0.25 DEFECT=in-between"))
		Expect(v.String()).To(And(ContainSubstring("caught"), ContainSubstring("with interleaving 3, in run 3; again: make replay SEED=5 ")))
		Expect(table([]verdict{v}, true)).To(ContainSubstring("| reads, with `INTERLEAVE=3 YIELD=0.25` |"))
		Expect(report([]verdict{v}, false, time.Minute)).To(BeZero())
	}, NodeTimeout(time.Minute))

	It("is judged by all specs in the interleaving that was found, with -all", func(ctx SpecContext) {
		all := asked
		all.all = true
		v, err := acting(inOrder3).search(ctx, d, all)
		Expect(err).NotTo(HaveOccurred())
		got := []any{v.caught(), v.runs, v.trial.interleave, v.trial.labels, v.trial.all}
		Expect(got).To(Equal([]any{true, 3, uint64(3), "", true}))
	}, NodeTimeout(time.Minute))

	It("is missed if no interleaving exposes it", func(ctx SpecContext) {
		few := asked
		few.orders = 2
		v, err := acting(inOrder3).search(ctx, d, few)
		Expect(err).NotTo(HaveOccurred())
		Expect(v.caught()).To(BeFalse())
		Expect(v.String()).To(HaveSuffix("by none of 1 specs, in none of 2 interleavings"))
		Expect(report([]verdict{v}, false, time.Minute)).To(Equal(1))
	}, NodeTimeout(time.Minute))

	It("is missed with a reason if goroutines cannot be made to yield", func(ctx SpecContext) {
		s := acting(inOrder3)
		s.toolchain.Exact, s.toolchain.Why = false, "this Go is too new"
		v, err := s.search(ctx, d, asked)
		Expect(err).NotTo(HaveOccurred())
		Expect(v.String()).To(And(ContainSubstring("missed"),
			HaveSuffix("by no run: replay is not exact, so goroutines cannot be made to yield: this Go is too new")))
		Expect(report([]verdict{v}, false, time.Minute)).To(Equal(1))
	}, NodeTimeout(time.Minute))

	DescribeTable("is not confirmed if the spec", func(ctx SpecContext, lines, why string) {
		_, err := acting(lines).search(ctx, d, asked)
		Expect(err).To(MatchError(ContainSubstring(why)))
	},
		Entry("passes when it runs by itself", NodeTimeout(time.Minute), `[ -z "$focus" ] && [ "$REJOIN_DEFECT" = in-between ] && fails=1`,
			"in-between was caught with interleaving 1, but not when run again (1): it is wrong"),
		Entry("passes once of several times", NodeTimeout(time.Minute), `[ $calls != 3 ] && [ "$REJOIN_DEFECT" = in-between ] && fails=1`,
			"not when run again (2)"),
		Entry("fails without the bug", NodeTimeout(time.Minute), `fails=1`,
			"the spec that caught in-between with interleaving 1 fails without the bug"),
	)

	Describe("in ordinary runs", func() {
		runs := asked
		runs.ordinary, runs.jobs = 3, 2

		It("is not caught, in that number of runs with different seeds", func(ctx SpecContext) {
			s := acting(`[ "$REJOIN_YIELD$REJOIN_INTERLEAVE" = 00 ] || fails=1; echo $seed >>seeds`)
			Expect(s.ordinary(ctx, []defects.Defect{d}, runs)).To(BeZero())
			seeds, err := os.ReadFile(filepath.Join(s.dir, "seeds"))
			Expect(err).NotTo(HaveOccurred())
			Expect(string(seeds)).To(And(HaveLen(6), ContainSubstring("5\n"), ContainSubstring("6\n"), ContainSubstring("7\n")))
		}, NodeTimeout(time.Minute))

		It("is reported if one catches it", func(ctx SpecContext) {
			Expect(acting(`[ $seed = 6 ] && fails=1`).ordinary(ctx, []defects.Defect{d}, runs)).To(Equal(1))
		}, NodeTimeout(time.Minute))

		It("must be marked as one", func(ctx SpecContext) {
			other := d
			other.Between = false
			_, err := acting("").ordinary(ctx, []defects.Defect{other}, runs)
			Expect(err).To(MatchError("none of these bugs is a race between goroutines"))
		}, NodeTimeout(time.Minute))
	})
})

var _ = DescribeTable("Invalid flags are an error", func(ctx SpecContext, why string, args ...string) {
	_, err := run(ctx, args)
	Expect(err).To(MatchError(why))
},
	Entry(nil, NodeTimeout(time.Minute), "-yield 0: must be above 0 and at most 1", "-yield", "0"),
	Entry(nil, NodeTimeout(time.Minute), "-yield NaN: must be above 0 and at most 1", "-yield", "NaN"),
	Entry(nil, NodeTimeout(time.Minute), "-ordinary and -again must not be negative", "-again", "-1"),
)
