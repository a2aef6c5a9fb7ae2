package virtual

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// Seed sets the seed of all random choices in the bubble, as far as replay is exact (see package replay). The default of
// Run is 0. The default of Bubble is derived from Ginkgo's seed, the spec's full text and the attempt, and so does not
// depend on the specs that ran before.
func Seed(n uint64) Option {
	return func(s *settled) { s.schedule.Seed, s.seeded = n, true }
}

// Interleave selects the order of runnable goroutines: 0 for the order in which they become ready; each other number
// selects a different order.
func Interleave(n uint64) Option { return func(s *settled) { s.schedule.Interleave = n } }

// Yield sets the probability, 0 to 1, that a goroutine yields at an operation on a channel, a lock or a pool; default 0.
func Yield(chance float64) Option { return func(s *settled) { s.schedule.Yield = chance } }

// Decisions makes a bubble write its scheduling decisions and random draws to the folder when it closes, as SEED.txt.gz
// with its seed in hexadecimal; see replay.Recording. An empty folder turns that off. Compare two runs of a seed with
// zdiff to find where they diverge. Nothing is written if replay is not exact.
func Decisions(folder string) Option { return func(s *settled) { s.decisions = folder } }

// Interleaved returns the options for Interleave and Yield in the settings.
func Interleaved(s settings.Cluster) []Option {
	return []Option{Interleave(s.Interleave), Yield(s.Yield)}
}

// ScheduleOf returns the schedule of the bubble to which the context belongs; inside is false if it belongs to none.
func ScheduleOf(ctx context.Context) (schedule replay.Schedule, inside bool) {
	b, inside := ctx.Value(inBubble{}).(*bubble)
	if !inside {
		return replay.Schedule{}, false
	}
	return b.schedule, true
}

// scheduleOf returns the schedule of a bubble that opens for the spec.
func (s *settled) scheduleOf(report types.SpecReport) replay.Schedule {
	schedule := s.schedule
	if !s.seeded {
		schedule.Seed = seedOf(ginkgo.GinkgoRandomSeed(), report)
	}
	return schedule
}

// seedOf returns the seed for an attempt at a spec. All specs of an ordered container share a bubble, so its seed is
// derived from the container.
func seedOf(random int64, report types.SpecReport) uint64 {
	text := report.FullText()
	if report.IsInOrderedContainer {
		text = strings.Join(report.ContainerHierarchyTexts, " ")
	}
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, []int64{random, int64(report.NumAttempts)}) // a hash never fails
	_, _ = io.WriteString(h, text)
	return h.Sum64()
}
