package chaos_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// has counts the faults of a kind.
func has(s chaos.Schedule, kind fault.Kind) (n int) {
	for _, f := range s.Faults {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// drawnWith is the first schedule with at least that many faults for which fails holds.
func drawnWith(faults int, fails func(chaos.Schedule) bool) chaos.Schedule {
	GinkgoHelper()
	for seed := range uint64(100_000) {
		if s := chaos.Draw(seed+1, chaos.Virtual()); len(s.Faults) >= faults && fails(s) {
			return s
		}
	}
	Fail("no such schedule is drawn")
	return chaos.Schedule{}
}

var _ = Describe("Shrinking", func() {
	planted := func(s chaos.Schedule) bool {
		return has(s, "crash") >= 1 && has(s, "cut one way") >= 1 && has(s, "clock ahead") >= 1
	}

	It("leaves what is needed to fail", func(ctx SpecContext) {
		s := drawnWith(35, planted)
		runs := 0
		least := chaos.Shrink(ctx, s, 10*time.Second, func(_ context.Context, s chaos.Schedule) bool {
			Expect(s.Validate()).To(Succeed())
			runs++
			return planted(s)
		})
		fmt.Fprintf(GinkgoWriter, "%d runs, from %v to %v\n", runs, s, least)
		Expect(planted(least)).To(BeTrue())
		Expect(least.Faults).To(HaveLen(3))
		Expect(least.Seed).To(Equal(s.Seed))
		Expect(least.Workloads).To(HaveLen(1))
		Expect([]int{least.Clients, least.Most, least.Nodes}).To(Equal([]int{1, 1, 3}))
		Expect(least.Faults).To(HaveEach(HaveField("At", BeZero())), "it has got to the details")
	}, patience)

	It("finds how many operations are needed", func(ctx SpecContext) {
		s := drawnWith(5, func(chaos.Schedule) bool { return true })
		least := chaos.Shrink(ctx, s, 10*time.Second, func(_ context.Context, s chaos.Schedule) bool {
			return s.Most == 0 || s.Most >= 37
		})
		Expect(least.Most).To(Equal(37))
		Expect(least.Faults).To(BeEmpty())
	}, patience)

	It("runs no schedule twice, and ends with its context", func(ctx SpecContext) {
		asked := make(map[string]bool)
		short, cancel := context.WithCancel(ctx)
		defer cancel()
		s, begun := drawnWith(20, planted), time.Now()
		least := chaos.Shrink(short, s, time.Minute, func(_ context.Context, s chaos.Schedule) bool {
			Expect(asked).NotTo(HaveKey(fmt.Sprint(s)))
			asked[fmt.Sprint(s)] = true
			if len(asked) == 5 {
				cancel()
			}
			return planted(s)
		})
		Expect(asked).To(HaveLen(5))
		Expect(time.Since(begun)).To(BeNumerically("<", 20*time.Second), "before its budget is spent")
		Expect(planted(least)).To(BeTrue())
	}, patience)

	It("ends with its context among the details, too", func(ctx SpecContext) {
		s := drawnWith(20, planted)
		shrink := func(ctx context.Context, s chaos.Schedule, most int) (runs int) {
			short, cancel := context.WithCancel(ctx)
			defer cancel()
			chaos.Shrink(short, s, time.Minute, func(context.Context, chaos.Schedule) bool {
				if runs++; runs == most {
					cancel()
				}
				return false
			})
			return runs
		}
		all := shrink(ctx, s, 0)
		Expect(shrink(ctx, s, all-5)).To(Equal(all - 5))
	}, patience)

	It("keeps a schedule that it cannot make smaller", func(ctx SpecContext) {
		s := drawnWith(3, func(chaos.Schedule) bool { return true })
		Expect(chaos.Shrink(ctx, s, time.Second, func(context.Context, chaos.Schedule) bool { return false })).To(Equal(s))
	}, patience)

	// Three faults of fifty within a minute, where a run takes 100ms.
	It("is fast enough for slow runs", Label("speed:slow"), func(ctx SpecContext) {
		s := drawnWith(45, planted)
		begun, runs := time.Now(), 0
		var three time.Duration
		least := chaos.Shrink(ctx, s, 8*time.Second, func(ctx context.Context, s chaos.Schedule) bool {
			runs++
			select {
			case <-time.After(100 * time.Millisecond): // the time of a run
			case <-ctx.Done():
			}
			if planted(s) && len(s.Faults) <= 3 && three == 0 {
				three = time.Since(begun)
			}
			return planted(s)
		})
		AddReportEntry("shrinking", fmt.Sprintf("from %d faults to %d after %v, over after %v and %d runs",
			len(s.Faults), len(least.Faults), three, time.Since(begun), runs))
		Expect(least.Faults).To(HaveLen(3))
		Expect(three).To(BeNumerically("<", 8*time.Second))
	}, patience)
})
