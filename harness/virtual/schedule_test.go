package virtual_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

var _ = Describe("The schedule of a bubble", func() {
	scheduleOf := func(ctx context.Context) replay.Schedule {
		GinkgoHelper()
		schedule, inside := virtual.ScheduleOf(ctx)
		Expect(inside).To(BeTrue())
		return schedule
	}

	Describe("of a spec", func() {
		var atFirst replay.Schedule
		interleaved := virtual.Interleaved(settings.Cluster{Interleave: 3, Yield: 0.25})

		Context("without a seed", virtual.Bubble(interleaved...), func() {
			BeforeEach(func(ctx SpecContext) { atFirst = scheduleOf(ctx) })
			It("is derived from Ginkgo's seed and the spec's text", func(ctx SpecContext) {
				want := replay.Schedule{Seed: virtual.SeedOf(GinkgoRandomSeed(), CurrentSpecReport()), Interleave: 3, Yield: 0.25}
				Expect(atFirst).To(Equal(want))
				Expect(scheduleOf(ctx)).To(Equal(want))
				DeferCleanup(func(ctx SpecContext) { Expect(scheduleOf(ctx)).To(Equal(want)) })
			})
		})

		It("is the given one", virtual.Bubble(virtual.Seed(7)), func(ctx SpecContext) {
			Expect(scheduleOf(ctx)).To(Equal(replay.Schedule{Seed: 7}))
		})

		Context("that is retried", virtual.Bubble(), func() {
			seeds := map[uint64]bool{}
			It("differs each time", MustPassRepeatedly(2), func(ctx SpecContext) {
				Expect(seeds).NotTo(HaveKey(scheduleOf(ctx).Seed))
				seeds[scheduleOf(ctx).Seed] = true
			})
		})
	})

	It("is set by options of Run", func(ctx SpecContext) {
		var got []replay.Schedule
		for _, options := range [][]virtual.Option{nil, {virtual.Seed(9), virtual.Interleave(2), virtual.Yield(0.5)}} {
			Expect(virtual.Run(ctx, func(ctx context.Context) {
				schedule, _ := virtual.ScheduleOf(ctx)
				got = append(got, schedule)
			}, options...)).To(Succeed())
		}
		Expect(got).To(Equal([]replay.Schedule{{}, {Seed: 9, Interleave: 2, Yield: 0.5}}))
	}, SpecTimeout(30*time.Second))

	It("does not exist outside", func(ctx SpecContext) {
		_, inside := virtual.ScheduleOf(ctx)
		Expect(inside).To(BeFalse())
	})

	Describe("has a seed", func() {
		spec := types.SpecReport{ContainerHierarchyTexts: []string{"A database", "on Sunday"}, LeafNodeText: "rests", NumAttempts: 1}
		seed := virtual.SeedOf(1, spec)

		DescribeTable("that depends on", func(random int64, change func(*types.SpecReport), same bool) {
			other := spec
			change(&other)
			if same {
				Expect(virtual.SeedOf(random, other)).To(Equal(seed))
			} else {
				Expect(virtual.SeedOf(random, other)).NotTo(Equal(seed))
			}
		},
			Entry("the spec", int64(1), func(*types.SpecReport) {}, true),
			Entry("Ginkgo's seed", int64(2), func(*types.SpecReport) {}, false),
			Entry("its text", int64(1), func(s *types.SpecReport) { s.LeafNodeText = "works" }, false),
			Entry("the text of its containers", int64(1), func(s *types.SpecReport) {
				s.ContainerHierarchyTexts = []string{"A database", "on Monday"}
			}, false),
			Entry("the attempt", int64(1), func(s *types.SpecReport) { s.NumAttempts = 2 }, false),
			Entry("neither time nor process", int64(1), func(s *types.SpecReport) {
				s.StartTime, s.ParallelProcess, s.RunningInParallel = time.Unix(1, 0), 2, true
			}, true),
		)

		It("that specs of an ordered container share", func() {
			first, second := spec, spec
			first.IsInOrderedContainer, second.IsInOrderedContainer, second.LeafNodeText = true, true, "works"
			Expect(virtual.SeedOf(1, first)).To(Equal(virtual.SeedOf(1, second)))
		})
	})
})
