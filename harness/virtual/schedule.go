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

// Seed is where all chance in the bubble comes from, as far as replay is exact: see
// package replay. Without it Run takes 0, and Bubble a seed for each attempt at a spec,
// made of Ginkgo's seed and the spec's full text: the same whichever specs run before.
func Seed(n uint64) Option {
	return func(s *settled) { s.schedule.Seed, s.seeded = n, true }
}

// Interleave is the order in which goroutines run that could run in any: 0, each when it
// is ready, or the number of another order.
func Interleave(n uint64) Option { return func(s *settled) { s.schedule.Interleave = n } }

// Yield is the chance, 0 to 1, with which a goroutine lets others run at each operation
// on a channel, a lock or a pool; 0 unless said.
func Yield(chance float64) Option { return func(s *settled) { s.schedule.Yield = chance } }

// Decisions is the folder to which a bubble writes what the scheduler of its goroutines
// decided and what was drawn at random, as SEED.txt.gz with the bubble's seed in
// hexadecimal digits, when it closes; none if empty. See replay.Recording. It is for
// finding where two runs of a seed part: zdiff shows that. Nothing is written where replay
// is not exact.
func Decisions(folder string) Option { return func(s *settled) { s.decisions = folder } }

// Interleaved are the options of a bubble that the settings ask for.
func Interleaved(s settings.Cluster) []Option {
	return []Option{Interleave(s.Interleave), Yield(s.Yield)}
}

// ScheduleOf is the schedule of the bubble that the context was made in, if it was made
// in one.
func ScheduleOf(ctx context.Context) (schedule replay.Schedule, inside bool) {
	b, inside := ctx.Value(inBubble{}).(*bubble)
	if !inside {
		return replay.Schedule{}, false
	}
	return b.schedule, true
}

// scheduleOf is the schedule of a bubble that opens for a node of the spec.
func (s *settled) scheduleOf(report types.SpecReport) replay.Schedule {
	schedule := s.schedule
	if !s.seeded {
		schedule.Seed = seedOf(ginkgo.GinkgoRandomSeed(), report)
	}
	return schedule
}

// seedOf is a seed for an attempt at a spec. All specs of an ordered container share a
// bubble, so its seed is of the container.
func seedOf(random int64, report types.SpecReport) uint64 {
	text := report.FullText()
	if report.IsInOrderedContainer {
		text = strings.Join(report.ContainerHierarchyTexts, " ")
	}
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, []int64{random, int64(report.NumAttempts)}) // a hash takes all
	_, _ = io.WriteString(h, text)
	return h.Sum64()
}
