package harness

import (
	"slices"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// inForce has the journal's IDs of the faults in force, by what each is about. So the event that
// ends a fault names the event that began it.
type inForce struct {
	mu  sync.Mutex
	ids map[aspect]uint64
}

// aspect is what a fault is about: something of a node, or of a link if node is noAspect.
type aspect struct {
	what string
	node int
	link fault.Link
}

// The aspects of nodes and links. A damaged part of a disk is one by its own name.
const (
	aboutIsolation = "isolation"
	aboutProcess   = "process"
	aboutDisk      = "disk"
	aboutClock     = "clock"
	aboutDamage    = "damage "
	aboutAddress   = "address"
	aboutCut       = "cut"
	aboutQuality   = "quality"
	aboutReset     = "reset"
	noAspect       = -2
)

func ofNode(what string, node int) aspect {
	return aspect{what, node, fault.Link{From: noAspect, To: noAspect}}
}

func ofLink(what string, link fault.Link) aspect { return aspect{what, noAspect, link} }

// touches tells whether the node is concerned.
func (a aspect) touches(node int) bool {
	return a.node == node || a.link.From == node || a.link.To == node
}

// change puts the fault of that ID in force for the aspects on, and ends what was in force for
// them and for those that off selects. It returns the IDs of the faults of which nothing is left.
func (f *inForce) change(id uint64, on []aspect, off func(aspect) bool) (ended []uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for a, old := range f.ids {
		if off != nil && off(a) || slices.Contains(on, a) {
			ended = append(ended, old)
			delete(f.ids, a)
		}
	}
	for _, a := range on {
		f.ids[a] = id
	}
	ended = slices.DeleteFunc(ended, func(old uint64) bool {
		for _, id := range f.ids {
			if id == old {
				return true
			}
		}
		return false
	})
	slices.Sort(ended)
	return slices.Compact(ended)
}

// faultEvent is a fault that is being made or undone.
type faultEvent struct {
	cluster *Cluster
	event   journal.Event
	change  journal.FaultChange
}

// recordFault begins to record that a fault begins or ends. End must follow.
func (c *Cluster) recordFault(phase journal.Phase, f fault.Fault, text string) *faultEvent {
	return &faultEvent{c, journal.Event{At: time.Now(), Kind: journal.Fault, Node: f.Node, Text: text},
		journal.FaultChange{Fault: f, Phase: phase}}
}

// end records the event: the fault is in force for the aspects on, and what was in force for them
// and for those that off selects has ended.
func (f *faultEvent) end(err error, on []aspect, off func(aspect) bool) {
	e := f.event
	e.Took = time.Since(e.At)
	if err != nil {
		e.Err = err.Error()
	}
	if len(on) > 0 {
		f.change.ID = f.cluster.journal.FaultID()
	}
	f.change.Ended = f.cluster.inForce.change(f.change.ID, on, off)
	e.Fault = &f.change
	f.cluster.journal.Record(e)
}

// endOf is end for a fault of one aspect, or for undoing it. Nothing has changed if err is not nil.
func (f *faultEvent) endOf(err error, a aspect) {
	switch {
	case err != nil:
		f.end(err, nil, nil)
	case f.change.Phase == journal.Once:
		f.end(nil, nil, nil)
	case f.change.Phase == journal.Ends:
		f.end(nil, nil, func(other aspect) bool { return other == a })
	default:
		f.end(nil, []aspect{a}, nil)
	}
}

// linkChange is a link whose rule has changed.
type linkChange struct {
	link     fault.Link
	from, to fault.Rule
}

// endOfLinks is end for links whose rules have changed.
func (f *faultEvent) endOfLinks(err error, changes []linkChange) {
	var on, off []aspect
	note := func(is bool, a aspect) {
		if is {
			on = append(on, a)
		} else {
			off = append(off, a)
		}
	}
	for _, c := range changes {
		off = append(off, ofLink(aboutReset, c.link))
		from, to := c.from, c.to
		if from.Action != to.Action {
			note(to.Action != fault.Pass, ofLink(aboutCut, c.link))
		}
		from.Action, to.Action = fault.Pass, fault.Pass
		if from != to {
			note(to != fault.Rule{}, ofLink(aboutQuality, c.link))
		}
	}
	f.end(err, on, func(a aspect) bool { return slices.Contains(off, a) })
}
