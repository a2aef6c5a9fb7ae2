package durable

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

func TestDurable(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Durable")
}

// onBoth declares specs for real files and for files in memory.
func onBoth(specs func(fresh func() *disk.Disk)) func() {
	return func() {
		Context("on real files", func() {
			specs(func() *disk.Disk { return disk.Files(GinkgoT().TempDir()) })
		})
		Context("in memory", func() {
			specs(func() *disk.Disk { return disk.Memory() })
		})
	}
}

func must[V any](value V, err error) V {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}

// smallSegments splits a log of a few entries into many files.
const smallSegments = 256 // bytes

// begin opens a log with small segments and ignores background errors.
func begin(d *disk.Disk) (*Log, error) {
	fs, err := d.Open()
	if err != nil {
		return nil, err
	}
	return beginOn(fs, smallSegments, func(error) {})
}

func beginOn(fs *disk.FS, segmentSize int, failed func(error)) (*Log, error) {
	s, err := openParts(fs, hclog.NewNullLogger(), failed, segmentSize)
	if err != nil {
		return nil, err
	}
	return s.Log, nil
}

func entries(from, to uint64) (logs []*raft.Log) {
	for i := from; i <= to; i++ {
		logs = append(logs, &raft.Log{Index: i, Term: 1, Data: []byte{byte(i), 0, 'x', 0, 0}})
	}
	return logs
}

// bounds returns the first and the last index of a log.
func bounds(l *Log) [2]uint64 {
	GinkgoHelper()
	return [2]uint64{must(l.FirstIndex()), must(l.LastIndex())}
}

// holds expects the log to hold exactly these entries.
func holds(l *Log, from, to uint64) {
	GinkgoHelper()
	Expect(bounds(l)).To(Equal([2]uint64{from, to}))
	for i := from; i <= to && to > 0; i++ {
		var entry raft.Log
		Expect(l.GetLog(i, &entry)).To(Succeed())
		Expect(entry).To(Equal(*entries(i, i)[0]))
	}
}
