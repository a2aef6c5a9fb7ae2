package durable

import (
	"bytes"
	"fmt"
	"io"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// written is a segment file as written by raft-wal.
type written struct {
	info    types.SegmentInfo
	content []byte
	appends []int    // end offset of each append
	entries []uint64 // number of entries after each append
}

// tailOf stores appends with the given numbers of entries and returns the last segment.
func tailOf(appends ...int) written {
	GinkgoHelper()
	d := disk.Memory()
	fs := must(d.Open())
	l := must(beginOn(fs, segmentSize, func(error) {}))
	w := written{info: types.SegmentInfo{ID: 0, BaseIndex: 1, MinIndex: 1, Codec: 1}}
	next := uint64(1)
	for _, n := range appends {
		Expect(l.StoreLogs(entries(next, next+uint64(n)-1))).To(Succeed())
		next += uint64(n)
		file := must(fs.Open(segmentName(w.info)))
		w.content = must(readAll(file))
		w.appends = append(w.appends, len(w.content))
		w.entries = append(w.entries, next-1)
	}
	d.Crash()
	Expect(l.Close()).To(Succeed())
	return w
}

// full returns a sealed segment, with its index.
func full() written {
	GinkgoHelper()
	d := disk.Memory()
	fs := must(d.Open())
	l := must(beginOn(fs, segmentSize, func(error) {}))
	Expect(l.StoreLogs(entries(1, 5))).To(Succeed())
	Expect(l.DeleteRange(5, 5)).To(Succeed())
	w := written{info: types.SegmentInfo{ID: 0, BaseIndex: 1, MinIndex: 1, Codec: 1}, entries: []uint64{5, 5}}
	w.content = must(readAll(must(fs.Open(segmentName(w.info)))))
	index := frameHeader + rounded(4*5)
	w.appends = []int{len(w.content) - index - frameHeader, len(w.content)}
	d.Crash()
	Expect(l.Close()).To(Succeed())
	return w
}

var _ = Describe("A segment of the log", func() {
	DescribeTable("is valid as written, in a file of any length", func(made func() written) {
		w := made()
		for _, room := range []int{0, 1, 8, 100} {
			found, err := inspect(append(bytes.Clone(w.content), make([]byte, room)...), w.info)
			Expect(err).NotTo(HaveOccurred())
			Expect(found.torn).To(BeFalse())
			Expect(found.end).To(Equal(len(w.content)))
			Expect(found.entries).To(Equal(w.entries[len(w.entries)-1]))
		}
	}, shapes)

	DescribeTable("is damaged by any change of any byte", func(made func() written) {
		w := made()
		for _, room := range []int{0, 64} {
			content := append(bytes.Clone(w.content), make([]byte, room)...)
			for at := range w.content {
				for mask := 1; mask < 256; mask++ {
					content[at] ^= byte(mask)
					_, err := inspect(content, w.info)
					if err == nil {
						Fail(fmt.Sprintf("a change of byte %d of %d by %x was not detected", at, len(w.content), mask))
					}
					content[at] ^= byte(mask)
				}
			}
		}
	}, shapes)

	DescribeTable("is torn if the last append is incomplete, and keeps all earlier entries", func(made func() written) {
		w := made()
		starts := append([]int{0}, w.appends...)
		had := append([]uint64{0}, w.entries...)
		for i := range w.appends {
			for end := starts[i]; end <= w.appends[i]-4; end++ {
				for _, room := range []int{0, 64} {
					found, err := inspect(append(bytes.Clone(w.content[:end]), make([]byte, room)...), w.info)
					Expect(err).NotTo(HaveOccurred(), "torn at byte %d of %d", end, len(w.content))
					Expect(found.entries).To(Equal(had[i]))
					Expect(found.end).To(Equal(starts[i]))
					if end > starts[i] {
						Expect(found.torn).To(BeTrue())
					}
				}
			}
		}
	}, shapes)
})

// shapes are different kinds of segments.
var shapes = []TableEntry{
	Entry("of one entry", func() written { return tailOf(1) }),
	Entry("of one append", func() written { return tailOf(4) }),
	Entry("of several appends", func() written { return tailOf(1, 3, 2) }),
	Entry("that is full", full),
}

var _ = Describe("A snapshot's file", func() {
	It("never returns a wrong byte after a byte has flipped", func() {
		d := disk.Memory()
		fs := must(d.Open())
		s := must(Open(fs, hclog.NewNullLogger(), func(error) {})).Snapshots
		content := bytes.Repeat([]byte("0123456789"), 20)
		file := snapshotName(take(s, 1, 1, content))
		size := must(fs.Open(file)).Size()
		handle := must(fs.Open(file))
		var old [1]byte
		for at := range size {
			must(handle.ReadAt(old[:], at))
			for _, mask := range []byte{1, 0x80, 0xFF} {
				must(handle.WriteAt([]byte{old[0] ^ mask}, at))
				Expect(readNewest(s, content)).To(MatchError(ContainSubstring(file+" is damaged")), "byte %d", at)
			}
			must(handle.WriteAt(old[:], at))
		}
		Expect(readNewest(s, content)).To(Succeed())
		d.Crash()
	})
})

// readNewest reads the newest snapshot, and expects all returned bytes to be right.
func readNewest(s *Snapshots, expected []byte) error {
	GinkgoHelper()
	metas, err := s.List()
	if err != nil {
		return err
	}
	_, content, err := s.Open(metas[0].ID)
	if err != nil {
		return err
	}
	defer content.Close()
	got, err := io.ReadAll(content)
	Expect(bytes.HasPrefix(expected, got)).To(BeTrue())
	if err == nil {
		Expect(got).To(Equal(expected))
	}
	return err
}

// take takes a snapshot and returns its ID.
func take(s *Snapshots, index, term uint64, content []byte) string {
	GinkgoHelper()
	sink := must(s.Create(1, index, term, raft.Configuration{}, 1, nil))
	must(sink.Write(content))
	Expect(sink.Close()).To(Succeed())
	Expect(sink.Close()).To(Succeed(), "a second Close is not an error")
	return sink.ID()
}
