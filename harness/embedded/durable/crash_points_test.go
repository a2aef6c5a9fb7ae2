package durable

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// crashed is the disk after a crash, and the contents before and after the action in progress.
type crashed struct {
	at            string
	image         image
	before, after contents
}

// inFlight is the contents before and after the action in progress.
type inFlight struct{ before, after contents }

// crash is a kind of crash. It returns the action in progress at the time of the last
// acknowledged change that must survive.
type crash func(d *disk.Disk, now func() inFlight) (inFlight, error)

func kill(d *disk.Disk, now func() inFlight) (inFlight, error) {
	d.Crash()
	return now(), nil
}

func cutPower(d *disk.Disk, now func() inFlight) (inFlight, error) {
	err := d.CutPower()
	return now(), err
}

func tear(d *disk.Disk, now func() inFlight) (inFlight, error) {
	d.Set(fault.Disk{Torn: true})
	time.Sleep(time.Hour)
	return kill(d, now)
}

// lie crashes a disk that confirmed syncs without storing. The node cannot know it.
func lie(d *disk.Disk, now func() inFlight) (inFlight, error) {
	d.Set(fault.Disk{Lying: true})
	then := now()
	time.Sleep(time.Hour)
	d.Crash()
	return then, nil
}

// crashPoints crashes between any two syncs of the scenario and returns the results.
func crashPoints(t *testing.T, crash crash, how string) (all []crashed) {
	for at := aSync / 2; ; at += aSync {
		var done bool
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			d := disk.Memory(disk.SyncTakes(aSync))
			fs, err := d.Open()
			g.Expect(err).NotTo(HaveOccurred())
			var current atomic.Pointer[inFlight]
			current.Store(&inFlight{})
			lived := make(chan bool)
			go func() {
				s, err := openParts(fs, hclog.NewNullLogger(), func(error) {}, smallSegments)
				if err != nil {
					lived <- false
					return
				}
				lived <- run(s, func(before, after contents) { current.Store(&inFlight{before, after}) })
				_ = s.Close()
			}()
			select {
			case done = <-lived:
			case <-time.After(at):
			}
			under, err := crash(d, func() inFlight { return *current.Load() })
			g.Expect(err).NotTo(HaveOccurred())
			if !done {
				<-lived
			}
			left, err := imageOf(d)
			g.Expect(err).NotTo(HaveOccurred())
			all = append(all, crashed{fmt.Sprintf("%s after %v", how, at), left, under.before, under.after})
		})
		if done || t.Failed() {
			return all
		}
	}
}

// run runs the scenario until an action fails, and reports each action in progress.
func run(s *Store, tell func(before, after contents)) bool {
	var now contents
	for _, action := range scenario {
		after := now
		change := action(&after)
		tell(now, after)
		if change(s) != nil {
			return false
		}
		if s.Log.Commit(now.last()) != nil {
			return false
		}
		now = after
		tell(now, now)
	}
	return true
}
