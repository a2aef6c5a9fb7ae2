package main

import (
	"slices"
	"time"
)

// applier executes what is committed.
func (n *node) applier() {
	for {
		select {
		case <-n.apply:
		case <-n.ended.Done():
			return
		}
		for more := true; more; {
			var entries []entry
			if !n.do(func() (err error) {
				entries, err = n.store.entries(n.applied+1, n.commit)
				return err
			}) {
				return
			}
			for _, e := range entries {
				results, wrong, err := n.store.apply(e)
				if !n.do(func() error { n.executed(e, results, wrong); return err }) {
					return
				}
			}
			more = len(entries) > 0
		}
	}
}

// executed answers the requests that waited for an entry to be executed.
func (n *node) executed(e entry, results []result, wrong error) {
	n.applied = e.Index
	if w, is := n.waiting[e.Index]; is {
		delete(n.waiting, e.Index)
		switch {
		case w.term != e.Term:
			w.answer <- fail("replaced", "another leader discarded the request")
		case wrong != nil:
			w.answer <- fail(codeOf(wrong), wrong.Error())
		default:
			w.answer <- answer{Index: e.Index, Results: results}
		}
	}
	n.release()
}

// release lets the reads through that a majority has confirmed, and that show all that was committed before them.
func (n *node) release() {
	n.reads = slices.DeleteFunc(n.reads, func(r read) bool {
		through := n.applied >= r.index && n.hasMajority(r.at)
		if through {
			r.ready <- true
		}
		return through
	})
}

// confirm registers a leader read. Its answer goes to the channel, which has room for it. It returns false if the node
// does not lead.
func (n *node) confirm(ready chan<- bool) bool {
	if n.role != leader {
		return false
	}
	n.reads = append(n.reads, read{time.Now(), max(n.commit, n.first), ready})
	n.wakeAll()
	n.release()
	return true
}
