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

// crashed is what a crash has left, and what was under way.
type crashed struct {
	at            string
	image         image
	before, after kept
}

// doing is what is kept before and after the deed under way.
type doing struct{ before, after kept }

// crash is a way to crash. It returns what was under way when all that is acknowledged was.
type crash func(d *disk.Disk, now func() doing) (doing, error)

func kill(d *disk.Disk, now func() doing) (doing, error) {
	d.Crash()
	return now(), nil
}

func cutPower(d *disk.Disk, now func() doing) (doing, error) {
	err := d.CutPower()
	return now(), err
}

func tear(d *disk.Disk, now func() doing) (doing, error) {
	d.Set(fault.Disk{Torn: true})
	time.Sleep(time.Hour)
	return kill(d, now)
}

// lie is a crash of a disk that has lied before: who has it knows no better.
func lie(d *disk.Disk, now func() doing) (doing, error) {
	d.Set(fault.Disk{Lying: true})
	then := now()
	time.Sleep(time.Hour)
	d.Crash()
	return then, nil
}

// moments are what crashes between any two syncs of the life have left.
func moments(t *testing.T, crash crash, how string) (all []crashed) {
	for at := aSync / 2; ; at += aSync {
		var done bool
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			d := disk.Memory(disk.SyncTakes(aSync))
			fs, err := d.Open()
			g.Expect(err).NotTo(HaveOccurred())
			var current atomic.Pointer[doing]
			current.Store(&doing{})
			lived := make(chan bool)
			go func() {
				s, err := openParts(fs, hclog.NewNullLogger(), func(error) {}, smallSegments)
				if err != nil {
					lived <- false
					return
				}
				lived <- live(s, func(before, after kept) { current.Store(&doing{before, after}) })
				_ = s.Close()
			}()
			select {
			case done = <-lived:
			case <-time.After(at):
			}
			under, err := crash(d, func() doing { return *current.Load() })
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

// live lives until a deed fails, and says all the time what is under way.
func live(s *Store, tell func(before, after kept)) bool {
	var now kept
	for _, deed := range life {
		after := now
		change := deed(&after)
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
