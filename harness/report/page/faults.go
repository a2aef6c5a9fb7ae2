package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// faults makes the lanes of what is wrong around the nodes: links, disks, clocks and data. That a node is away is in its own lane.
func (t *Trace) faults(order []moment) []Lane {
	f := faulty{end: t.Length}
	for _, e := range order {
		switch {
		case e.Kind == journal.Fault && e.Fault != nil:
			f.change(e)
		case e.Kind == journal.Member && e.Member != nil:
			f.over(e.Member.Ended, e.to)
		}
	}
	return f.lanes()
}

// faulty follows the faults in force.
type faulty struct {
	end    int64
	all    []inForce
	places []string // in the order in which they were first at fault
}

type inForce struct {
	Span
	place, kind string
	id          uint64
	what        fault.Fault
	open        bool
}

func (f *faulty) change(e moment) {
	f.over(e.Fault.Ended, e.to)
	what := e.Fault.Fault
	if e.Fault.Phase == journal.Ends {
		if len(e.Fault.Ended) == 0 && e.Err == "" {
			f.overLike(what, e.to) // the earlier versions of the format have no IDs
		}
		return
	}
	failed := e.Err != "" && e.Fault.ID == 0
	place, kind := placeOf(what)
	if place == "" || failed {
		return
	}
	s := Span{From: e.from, To: f.end, Event: e.index, Is: string(what.Kind), Text: e.Fault.String()}
	if e.Fault.Phase == journal.Once {
		s.To = e.to
	}
	f.all = append(f.all, inForce{s, place, kind, e.Fault.ID, what, e.Fault.Phase == journal.Begins})
	if !slices.Contains(f.places, place) {
		f.places = append(f.places, place)
	}
}

func (f *faulty) over(ids []uint64, at int64) {
	for i := range f.all {
		if one := &f.all[i]; one.open && slices.Contains(ids, one.id) {
			one.To, one.open = at, false
		}
	}
}

func (f *faulty) overLike(what fault.Fault, at int64) {
	for i := range f.all {
		one := &f.all[i]
		if one.open && one.what.Kind == what.Kind && one.what.Node == what.Node && slices.Equal(one.what.Links, what.Links) {
			one.To, one.open = at, false
		}
	}
}

func (f *faulty) lanes() []Lane {
	all := []Lane{}
	for _, kind := range []string{"link", "disk", "clock", "data"} {
		for _, place := range f.places {
			rows := lanes{name: place, kind: kind}
			for _, one := range f.all {
				if one.place == place && one.kind == kind {
					rows.add(one.Span)
				}
			}
			all = append(all, rows.all()...)
		}
	}
	return all
}

// placeOf names the lane of a fault and its kind; "" for a fault that keeps a node away.
func placeOf(f fault.Fault) (place, kind string) {
	switch f.Kind {
	case fault.KindIsolate, fault.KindStop, fault.KindCrash, fault.KindPause, fault.KindWipe:
		return "", ""
	case fault.KindDisk, fault.KindDamage:
		return fmt.Sprintf("disk %d", f.Node), "disk"
	case fault.KindClock:
		return fmt.Sprintf("clock %d", f.Node), "clock"
	case fault.KindDiverge, fault.KindMove:
		return fmt.Sprintf("node %d", f.Node), "data"
	case fault.KindCut, fault.KindLink, fault.KindReset, fault.KindFlap:
		return linksName(f.Links), "link"
	default:
		return "network", "link"
	}
}

// linksName names links: both directions of a pair as one, such as "link 0–1".
func linksName(links []fault.Link) string {
	var names []string
	for _, l := range links {
		name := end(l.From) + "→" + end(l.To)
		if slices.Contains(links, fault.Link{From: l.To, To: l.From}) {
			name = end(min(l.From, l.To)) + "–" + end(max(l.From, l.To))
			if min(l.From, l.To) == fault.Clients {
				name = "clients–" + end(max(l.From, l.To))
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	const most = 3
	if len(names) > most {
		return fmt.Sprintf("links %s and %d more", strings.Join(names[:most], " "), len(names)-most)
	}
	if len(names) == 1 {
		return "link " + names[0]
	}
	return "links " + strings.Join(names, " ")
}

func end(node int) string {
	if node == fault.Clients {
		return "clients"
	}
	return fmt.Sprint(node)
}
