package durable

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
)

var _ = Describe("The promises", onBoth(func(fresh func() *disk.Disk) {
	var d *disk.Disk
	var s *Store
	start := func() {
		GinkgoHelper()
		d.Crash()
		s = must(Open(must(d.Open()), hclog.NewNullLogger(), func(error) {}))
	}
	BeforeEach(func() {
		d = fresh()
		start()
		DeferCleanup(d.Crash)
	})

	It("contain the commit index, also after a crash, but never beyond the log", func() {
		Expect(s.Log.CommitIndex()).To(BeZero())
		Expect(s.Log.StoreLogs(entries(1, 9))).To(Succeed())
		for _, index := range []uint64{4, 7, 5} {
			Expect(s.Log.Commit(index)).To(Succeed())
		}
		start()
		Expect(s.Log.CommitIndex()).To(BeEquivalentTo(7))
		Expect(s.Log.DeleteRange(6, 9)).To(Succeed())
		Expect(s.Log.CommitIndex()).To(BeEquivalentTo(5))
		start()
		Expect(s.Log.CommitIndex()).To(BeEquivalentTo(5))
	})

	It("are lowered before a log is truncated, in whole or in part", func() {
		Expect(s.Log.StoreLogs(entries(1, 9))).To(Succeed())
		Expect(s.Log.DeleteRange(5, 9)).To(Succeed())
		start()
		Expect(s.Log.LastIndex()).To(BeEquivalentTo(4))
		Expect(s.Log.DeleteRange(1, 4)).To(Succeed())
		Expect(s.Log.StoreLogs(entries(1, 1))).To(Succeed(), "the removed entries were from a different leader")
		start()
		Expect(s.Log.LastIndex()).To(BeEquivalentTo(1))
	})

	It("are required: the log is rejected if they are missing, empty, or torn in every slot", func() {
		Expect(s.Log.StoreLogs(entries(1, 9))).To(Succeed())
		d.Crash()
		whole := must(imageOf(d))
		for _, content := range [][]byte{nil, {}, make([]byte, slots*slotSize), make([]byte, slotSize)} {
			_, err := Open(must(must(whole.with(disk.PromiseFile, content).disk()).Open()), hclog.NewNullLogger(), func(error) {})
			Expect(err).To(MatchError(ContainSubstring(disk.PromiseFile)))
		}
	})

	It("allow an empty log after a snapshot", func() {
		Expect(s.Log.StoreLogs(entries(1, 9))).To(Succeed())
		Expect(s.Log.DeleteRange(1, 5)).To(Succeed())
		take(s.Snapshots, 50, 2, []byte("content"))
		Expect(s.Log.DeleteRange(6, 9)).To(Succeed())
		start()
		Expect(s.Log.LastIndex()).To(BeZero())
		Expect(s.Log.StoreLogs(entries(51, 53))).To(Succeed())
		start()
		Expect(s.Log.FirstIndex()).To(BeEquivalentTo(51))
	})

	It("allow a crash between installing a snapshot and removing the log before it", func() {
		Expect(s.Log.StoreLogs(entries(1, 9))).To(Succeed())
		take(s.Snapshots, 50, 2, []byte("content"))
		start()
		Expect(s.Log.LastIndex()).To(BeZero(), "entries after the snapshot could not be appended to it")
		Expect(s.Log.StoreLogs(entries(51, 53))).To(Succeed())
		start()
		Expect(s.Log.FirstIndex()).To(BeEquivalentTo(51))
		Expect(s.Log.LastIndex()).To(BeEquivalentTo(53))
	})

	It("detect a missing snapshot, and an older one", func() {
		take(s.Snapshots, 1, 1, []byte("old"))
		d.Crash()
		older := must(imageOf(d))
		start()
		newest := take(s.Snapshots, 2, 1, []byte("new"))
		d.Crash()
		now := must(imageOf(d))
		now = now.without(func(name string) bool { return name == snapshotName(newest) })
		for name, content := range older {
			if name != disk.PromiseFile {
				now[name] = content
			}
		}
		_, err := Open(must(must(now.disk()).Open()), hclog.NewNullLogger(), func(error) {})
		var lost *LostError
		Expect(errors.As(err, &lost)).To(BeTrue(), "%v", err)
		Expect(lost.File).To(Equal(snapshotName(newest)))
	})
}))

// For any order and concurrency of keep and note, the promise after a power loss is at least what
// was kept, and after a kill what was noted last.
func TestConcurrentPromisesSurvive(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			d := disk.Memory(disk.SyncTakes(aSync))
			fs, err := d.Open()
			g.Expect(err).NotTo(HaveOccurred())
			p, err := openPromises(fs)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(p.begin(0)).To(Succeed())
			var noted, kept [3]uint64 // by the writers of commit, meta and last
			fields := [3]func(*promise) *uint64{
				func(p *promise) *uint64 { return &p.commit }, func(p *promise) *uint64 { return &p.meta }, func(p *promise) *uint64 { return &p.last },
			}
			done := make(chan struct{})
			for i, field := range fields {
				go func() {
					defer func() { done <- struct{}{} }()
					chance := rand.New(rand.NewPCG(seed, uint64(i)))
					for n := uint64(1); ; n++ {
						change, write := func(p *promise) { *field(p) = n }, p.note
						keeps := chance.IntN(4) == 0
						if keeps {
							write = p.keep
						}
						if write(change) != nil {
							return
						}
						noted[i] = n
						if keeps {
							kept[i] = n
						}
						time.Sleep(time.Duration(chance.IntN(int(2 * aSync))))
					}
				}()
			}
			time.Sleep(time.Duration(5+seed)*aSync + aSync/3)
			power := seed%2 == 0
			if power {
				g.Expect(d.CutPower()).To(Succeed())
			} else {
				d.Crash()
			}
			for range fields {
				<-done
			}
			again, err := d.Open()
			g.Expect(err).NotTo(HaveOccurred())
			found, err := openPromises(again)
			g.Expect(err).NotTo(HaveOccurred())
			for i, field := range fields {
				has := *field(&found.now)
				g.Expect(has).To(BeNumerically(">=", kept[i]))
				g.Expect(has).To(BeNumerically("<=", noted[i]+1))
				if !power {
					g.Expect(has).To(BeNumerically(">=", noted[i]))
				}
			}
			g.Expect(found.close()).To(Succeed())
			g.Expect(again.Close()).To(Succeed())
		})
	}
}

// FuzzPromises opens a log with arbitrary promises: it is either rejected with a file name, or
// complete.
func FuzzPromises(f *testing.F) {
	d := disk.Memory()
	fs, err := d.Open()
	if err != nil {
		f.Fatal(err)
	}
	s, err := openParts(fs, hclog.NewNullLogger(), func(error) {}, smallSegments)
	if err != nil {
		f.Fatal(err)
	}
	var now contents
	for _, action := range []action{ofLog(votes), ofLog(stores(5)), ofLog(stores(9)), snaps(2), ofLog(dropsFirst(4))} {
		if err := action(&now)(s); err != nil {
			f.Fatal(err)
		}
	}
	d.Crash()
	whole, err := imageOf(d)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[disk.PromiseFile])
	f.Add(promise{sequence: 1 << 60, last: 1 << 62, commit: 1 << 63}.encode())
	f.Fuzz(func(t *testing.T, content []byte) {
		if content == nil {
			content = []byte{}
		}
		err := verdict(whole.with(disk.PromiseFile, content), now, now)
		if errors.Is(err, errWrong) {
			t.Fatal(err)
		}
	})
}
