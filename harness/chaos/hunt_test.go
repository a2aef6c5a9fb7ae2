package chaos_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// judged runs schedules, and remembers them in order.
type judged struct {
	run  func(context.Context, chaos.Schedule) (*chaos.Outcome, error)
	each []string
}

func (j *judged) once(ctx context.Context, s chaos.Schedule) (*chaos.Outcome, error) {
	j.each = append(j.each, s.String())
	return j.run(ctx, s)
}

func (j *judged) isJudgedOnce() {
	GinkgoHelper()
	unique := slices.Compact(slices.Sorted(slices.Values(j.each)))
	Expect(unique).To(HaveLen(len(j.each)), "no schedule is run twice")
}

// failing is an outcome that breaks a promise if the schedule has both faults.
func failing(_ context.Context, s chaos.Schedule) (*chaos.Outcome, error) {
	has := func(k fault.Kind) bool {
		return slices.ContainsFunc(s.Faults, func(f chaos.Entry) bool { return f.Kind == k })
	}
	o := &chaos.Outcome{Schedule: s}
	if has("crash") && has("cut one way") {
		o.Failure = &chaos.Failure{Broken: chaos.Safety, Reason: "planted"}
	}
	return o, nil
}

// firstFailing is the outcome of the first seed that fails.
func firstFailing(ctx context.Context, run func(context.Context, chaos.Schedule) (*chaos.Outcome, error)) *chaos.Outcome {
	GinkgoHelper()
	for seed := uint64(1); seed < 200; seed++ {
		o, err := run(ctx, chaos.Draw(seed, chaos.Virtual()))
		Expect(err).NotTo(HaveOccurred())
		if o.Failure != nil && len(o.Schedule.Faults) > 5 {
			return o
		}
	}
	Fail("no schedule fails")
	return nil
}

var _ = Describe("Shrinking a failure", func() {
	h := chaos.Hunt{Shrink: time.Minute, ShrinkRuns: 300, Progress: io.Discard}

	It("runs each schedule once, and comes to the same result twice", func(ctx SpecContext) {
		failed := firstFailing(ctx, failing)
		var least []chaos.Schedule
		for range 2 {
			j := &judged{run: failing}
			o, cut := chaos.ShrinkOutcome(ctx, h, failed, j.once)
			Expect(cut).To(BeFalse())
			Expect(o.Schedule.Faults).To(HaveLen(2))
			j.isJudgedOnce()
			least = append(least, o.Schedule)
		}
		Expect(least[0]).To(Equal(least[1]))
	}, SpecTimeout(2*time.Minute))

	It("ends after that many runs", func(ctx SpecContext) {
		failed := firstFailing(ctx, failing)
		few := h
		few.ShrinkRuns = 4
		var least []chaos.Schedule
		for range 2 {
			j := &judged{run: failing}
			o, cut := chaos.ShrinkOutcome(ctx, few, failed, j.once)
			Expect(cut).To(BeFalse(), "it was not cut off")
			Expect(j.each).To(HaveLen(4))
			least = append(least, o.Schedule)
		}
		Expect(least[0]).To(Equal(least[1]))
	}, SpecTimeout(2*time.Minute))

	It("says that time was over first", func(ctx SpecContext) {
		short := h
		short.Shrink = 50 * time.Millisecond
		hangs := func(ctx context.Context, _ chaos.Schedule) (*chaos.Outcome, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		_, cut := chaos.ShrinkOutcome(ctx, short, firstFailing(ctx, failing), hangs)
		Expect(cut).To(BeTrue())
	}, SpecTimeout(2*time.Minute))

	It("does not mistake a failure of another kind for the same", func(ctx SpecContext) {
		failed, begun := firstFailing(ctx, failing), time.Now()
		o, _ := chaos.ShrinkOutcome(ctx, h, failed, func(_ context.Context, s chaos.Schedule) (*chaos.Outcome, error) {
			return &chaos.Outcome{Schedule: s, Failure: &chaos.Failure{Broken: chaos.Liveness}}, nil
		})
		Expect(o).To(BeIdenticalTo(failed))
		Expect(time.Since(begun)).To(BeNumerically("<", 30*time.Second), "it ends after all runs")
	}, SpecTimeout(2*time.Minute))

	// With the code of the nodes, and a bug in it.
	It("comes to the same result twice, with real nodes", Label("speed:slow"), func(ctx SpecContext) {
		if !replay.Exact() {
			Skip("this needs a program that replays exactly: see harness/cmd/exact")
		}
		bug, err := defects.Find("loses-ddl")
		Expect(err).NotTo(HaveOccurred())
		nodes := local.Options{SnapshotThreshold: 64, SnapshotInterval: time.Second, TrailingLogs: 16}
		t, err := bug.Plant(virtual.New(virtual.Options{Nodes: nodes}))
		Expect(err).NotTo(HaveOccurred())
		sick := chaos.Hunt{Target: t, Shrink: time.Minute, ShrinkRuns: 40, Progress: io.Discard}
		sick.In = func(ctx context.Context, seed uint64, body func(context.Context)) error {
			return virtual.Run(ctx, body, virtual.Seed(seed))
		}
		run := func(ctx context.Context, s chaos.Schedule) (*chaos.Outcome, error) {
			return chaos.PlayHere(ctx, sick, s)
		}
		failed := firstFailing(ctx, run)
		var journals []string
		for range 2 {
			j := &judged{run: run}
			o, cut := chaos.ShrinkOutcome(ctx, sick, failed, j.once)
			Expect(cut).To(BeFalse())
			j.isJudgedOnce()
			journals = append(journals, fmt.Sprint(o.Schedule, o.Failure, o.Tally, len(o.Events), o.Events))
		}
		Expect(journals[0]).To(Equal(journals[1]))
	}, SpecTimeout(5*time.Minute))
})
