package durable

import (
	"github.com/hashicorp/raft-wal/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

var _ = DescribeTable("What was promised of a log of which nothing is left", func(log read, promised promise, kept bool) {
	d := disk.Memory()
	DeferCleanup(d.Crash)
	err := log.kept(must(d.Open()), promised)
	if kept {
		Expect(err).NotTo(HaveOccurred())
		return
	}
	Expect(err).To(MatchError(ContainSubstring("has lost what was safe")))
},
	Entry("is kept by a snapshot that is promised and as new", begunAgain(false), promise{last: 74, snapshot: snapshotKey{index: 74}}, true),
	Entry("is kept by a newer one", begunAgain(false), promise{last: 74, snapshot: snapshotKey{index: 131}}, true),
	Entry("is not kept by an older one", begunAgain(false), promise{last: 74, snapshot: snapshotKey{index: 73}}, false),
	Entry("is not kept without one", begunAgain(false), promise{last: 74}, false),
	Entry("is not kept if its file is missing", begunAgain(true), promise{last: 74, snapshot: snapshotKey{index: 131}}, false),
	Entry("is not kept if a part of it is there", begunAgain(false, 9), promise{last: 74, snapshot: snapshotKey{index: 131}}, false),
)

// begunAgain is a log that begins from entry 1, with so many entries.
func begunAgain(missing bool, entries ...uint64) read {
	r := read{missing: missing, state: types.PersistentState{Segments: []types.SegmentInfo{{ID: 2, BaseIndex: 1}}}, found: make([]inspected, 1)}
	for _, n := range entries {
		r.found[0].entries = n
	}
	return r
}
