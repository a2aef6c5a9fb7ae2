package durable

import (
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// state is the content of a log, as its user knows it.
type state struct {
	entries []raft.Log
	term    uint64
}

// step changes the state, and returns the corresponding change of the log.
type step func(s *state) (change func(l *Log) error)

func stores(count uint64) step {
	return func(s *state) func(l *Log) error {
		next := uint64(1)
		if len(s.entries) > 0 {
			next = s.entries[len(s.entries)-1].Index + 1
		}
		logs := entries(next, next+count-1)
		for _, log := range logs {
			log.Term = s.term
			s.entries = append(slices.Clip(s.entries), *log)
		}
		return func(l *Log) error { return l.StoreLogs(logs) }
	}
}

func votes(s *state) func(l *Log) error {
	s.term++
	term := s.term
	return func(l *Log) error { return l.SetUint64([]byte("term"), term) }
}

func dropsFirst(count int) step {
	return func(s *state) func(l *Log) error {
		from, to := s.entries[0].Index, s.entries[count-1].Index
		s.entries = s.entries[count:]
		return func(l *Log) error { return l.DeleteRange(from, to) }
	}
}

func dropsLast(count int) step {
	return func(s *state) func(l *Log) error {
		left := len(s.entries) - count
		from, to := s.entries[left].Index, s.entries[len(s.entries)-1].Index
		s.entries = s.entries[:left]
		return func(l *Log) error { return l.DeleteRange(from, to) }
	}
}

// script covers all kinds of segment boundaries.
var script = []step{
	votes, stores(1), stores(3), stores(2), stores(4), votes, dropsLast(2), stores(1), stores(9), stores(3),
	dropsFirst(4), dropsLast(1), votes, stores(30), dropsFirst(40), stores(2),
	stores(2), stores(20), stores(1), stores(1), stores(2), stores(2), stores(3), votes, stores(2), stores(4), stores(4), stores(4),
}

// readState reads the whole content of a log.
func readState(g *WithT, l *Log) (s state) {
	var err error
	s.term, err = l.GetUint64([]byte("term"))
	g.Expect(err).NotTo(HaveOccurred())
	first, err := l.FirstIndex()
	g.Expect(err).NotTo(HaveOccurred())
	last, err := l.LastIndex()
	g.Expect(err).NotTo(HaveOccurred())
	for i := first; i <= last && last > 0; i++ {
		var entry raft.Log
		g.Expect(l.GetLog(i, &entry)).To(Succeed())
		s.entries = append(s.entries, entry)
	}
	return s
}

const aSync = time.Millisecond

// progress is the content of a log before and after the current step.
type progress struct{ before, after state }

// play runs the script until a step fails, and stores the current step in current.
func play(l *Log, current *atomic.Pointer[progress]) {
	var now state
	for _, step := range script {
		after := now
		change := step(&after)
		current.Store(&progress{now, after})
		if change(l) != nil {
			return
		}
		now = after
		current.Store(&progress{now, now})
	}
}

func TestAnAppendIsOneSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		d := disk.Memory(disk.SyncTakes(aSync))
		fs, err := d.Open()
		g.Expect(err).NotTo(HaveOccurred())
		l, err := beginOn(fs, segmentSize, func(error) {})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(l.StoreLogs(entries(1, 1))).To(Succeed(), "the promise of a new segment is also synced")
		for i := range uint64(5) {
			begun := time.Now()
			g.Expect(l.StoreLogs(entries(2+3*i, 4+3*i))).To(Succeed())
			g.Expect(time.Since(begun)).To(Equal(aSync))
		}
		g.Expect(l.SetUint64([]byte("term"), 1)).To(Succeed())
		begun := time.Now()
		g.Expect(l.SetUint64([]byte("term"), 1)).To(Succeed())
		g.Expect(time.Since(begun)).To(BeZero(), "nothing has changed")
		g.Expect(l.Close()).To(Succeed())
		g.Expect(fs.Close()).To(Succeed())
	})
}

func TestCrashAtAnyMomentLosesOnlyUnstoredEntries(t *testing.T) {
	atEveryMoment(t, func(d *disk.Disk, current *atomic.Pointer[progress]) *progress {
		return current.Load()
	})
}

func TestTornSyncAtAnyMomentLosesOnlyUnstoredEntries(t *testing.T) {
	atEveryMoment(t, func(d *disk.Disk, current *atomic.Pointer[progress]) *progress {
		d.Set(fault.Disk{Torn: true})
		time.Sleep(time.Hour)
		return current.Load()
	})
}

func TestLyingDiskFromAnyMomentLosesOnlyLaterEntries(t *testing.T) {
	atEveryMoment(t, func(d *disk.Disk, current *atomic.Pointer[progress]) *progress {
		d.Set(fault.Disk{Lying: true})
		then := current.Load()
		time.Sleep(time.Hour)
		return then
	})
}

// atEveryMoment calls happens between any two syncs of the script, and then crashes the node. The
// log must hold the state before or after the step in progress.
func atEveryMoment(t *testing.T, happens func(*disk.Disk, *atomic.Pointer[progress]) *progress) {
	var last *progress
	moments := 0
	for at := aSync / 2; last == nil || !reflect.DeepEqual(last.before, final()); at += aSync {
		moments++
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			d := disk.Memory(disk.SyncTakes(aSync))
			l, err := begin(d)
			g.Expect(err).NotTo(HaveOccurred())
			var current atomic.Pointer[progress]
			current.Store(&progress{})
			played := make(chan struct{})
			go func() { defer close(played); play(l, &current) }()
			time.Sleep(at)
			last = happens(d, &current)
			d.Crash()
			<-played
			g.Expect(l.Close()).To(Succeed())
			d.Set(fault.Disk{})

			again, err := begin(d)
			g.Expect(err).NotTo(HaveOccurred(), "after %v", at)
			found := readState(g, again)
			g.Expect(found).To(Or(Equal(last.before), Equal(last.after)), "after %v", at)
			change := stores(5)(&found)
			g.Expect(change(again)).To(Succeed(), "after %v", at)
			g.Expect(readState(g, again)).To(Equal(found))
			g.Expect(again.Close()).To(Succeed())
		})
		if t.Failed() {
			return
		}
	}
	NewWithT(t).Expect(moments).To(BeNumerically(">", len(script)+5), "segments end and begin in between")
}

// final returns the state after the script.
func final() (s state) {
	for _, step := range script {
		step(&s)
	}
	return s
}
