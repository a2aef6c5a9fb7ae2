package durable

import (
	"github.com/hashicorp/raft-wal/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

var _ = DescribeTable("The promise of an empty log", func(log loaded, promised promise, kept bool) {
	d := disk.Memory()
	DeferCleanup(d.Crash)
	err := log.check(must(d.Open()), promised)
	if kept {
		Expect(err).NotTo(HaveOccurred())
		return
	}
	Expect(err).To(MatchError(ContainSubstring("has lost durable data")))
},
	Entry("is kept by a promised snapshot with the same index", restarted(false), promise{last: 74, snapshot: snapshotKey{index: 74}}, true),
	Entry("is kept by a newer snapshot", restarted(false), promise{last: 74, snapshot: snapshotKey{index: 131}}, true),
	Entry("is not kept by an older snapshot", restarted(false), promise{last: 74, snapshot: snapshotKey{index: 73}}, false),
	Entry("is not kept without a snapshot", restarted(false), promise{last: 74}, false),
	Entry("is not kept if the log file is missing", restarted(true), promise{last: 74, snapshot: snapshotKey{index: 131}}, false),
	Entry("is not kept if part of the log is left", restarted(false, 9), promise{last: 74, snapshot: snapshotKey{index: 131}}, false),
)

// restarted returns a log that starts from entry 1, with so many entries.
func restarted(missing bool, entries ...uint64) loaded {
	r := loaded{missing: missing, state: types.PersistentState{Segments: []types.SegmentInfo{{ID: 2, BaseIndex: 1}}},
		found: make([]inspected, 1)}
	for _, n := range entries {
		r.found[0].entries = n
	}
	return r
}
