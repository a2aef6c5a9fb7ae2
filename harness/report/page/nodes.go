package page

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// nodes makes the lanes of the nodes, in the order of their indexes.
func (t *Trace) nodes(order []moment) []Node {
	count := 0
	for _, e := range order {
		count = max(count, e.Node+1)
		if e.Boot != nil {
			count = max(count, e.Boot.Size)
		}
	}
	nodes := make([]Node, count)
	for i := range nodes {
		nodes[i] = Node{Index: i, Health: []Span{}, Roles: []Span{}, Away: []Span{}, Marks: []Span{}}
	}
	states := make([]journal.State, count)
	for _, e := range order {
		if e.Node == journal.None {
			continue
		}
		n := &nodes[e.Node]
		switch e.Kind {
		case journal.Shown, journal.Role:
			n.state(e, t.Length, &states[e.Node])
		case journal.Check:
			n.mark(e, e.to, "compared")
		case journal.Flag:
			if n.flag(e, t.Length) {
				states[e.Node].Role = unknownRole
			}
		case journal.Fault:
			n.fault(e)
		case journal.Member:
			n.member(e)
		case journal.Resource:
			n.sample(e)
		default:
		}
	}
	return nodes
}

// state extends the lanes of health and of roles. A state that says what the last one said changes nothing.
func (n *Node) state(e moment, end int64, last *journal.State) {
	now := *e.State
	if e.Kind == journal.Shown && now.Health != last.Health {
		n.Health = change(n.Health, Span{From: e.from, To: end, Event: e.index, Is: now.Health})
		last.Health = now.Health
	}
	if now.Role != last.Role || now.Term != last.Term || now.Leader != last.Leader || len(n.Roles) == 0 {
		text := fmt.Sprintf("term %d", now.Term)
		if now.Leader != "" {
			text += ", leader " + now.Leader
		}
		n.Roles = change(n.Roles, Span{From: e.from, To: end, Event: e.index, Is: now.Role, Text: text})
		last.Role, last.Term, last.Leader = now.Role, now.Term, now.Leader
	}
}

// change ends the last span where the next one begins, if it has not ended before.
func change(spans []Span, next Span) []Span {
	if n := len(spans); n > 0 {
		spans[n-1].To = min(spans[n-1].To, next.From)
	}
	return append(spans, next)
}

// unknownRole is no role that a node reports, so that the next report begins a new span.
const unknownRole = "?"

// flag follows what the harness wants: down counts from the beginning of an event, up from its end. It tells whether the node runs no
// more, and so has no role.
func (n *Node) flag(e moment, end int64) (ended bool) {
	if e.Err != "" || e.Flag == nil {
		return false
	}
	last := len(n.Away) - 1
	away := last >= 0 && n.Away[last].To == end
	switch {
	case !e.Flag.Online && !away:
		mode := string(e.Flag.Mode)
		if mode == "" {
			mode = "offline"
		}
		n.Away = append(n.Away, Span{From: e.from, To: end, Event: e.index, Is: mode})
		if ended = e.Flag.Mode == fault.Crash || e.Flag.Mode == fault.Stop; ended && len(n.Roles) > 0 {
			role := &n.Roles[len(n.Roles)-1]
			role.To = max(role.From, e.from)
		}
	case e.Flag.Online && away:
		n.Away[last].To = e.to
	}
	return ended
}

// fault marks restarts and empty disks. What keeps a node away is in its flag.
func (n *Node) fault(e moment) {
	if e.Err != "" || e.Fault == nil {
		return
	}
	switch kind := e.Fault.Kind; {
	case e.Fault.Phase == journal.Ends && (kind == fault.KindStop || kind == fault.KindCrash):
		n.mark(e, e.to, "restart")
	case kind == fault.KindWipe:
		n.mark(e, e.to, "wipe")
	}
}

func (n *Node) member(e moment) {
	switch {
	case e.Err != "" || e.Member == nil:
	case e.Member.Added:
		n.mark(e, e.to, "joined")
	default:
		n.mark(e, e.to, "removed")
		for _, spans := range [][]Span{n.Health, n.Roles, n.Away} {
			if last := len(spans) - 1; last >= 0 {
				spans[last].To = min(spans[last].To, max(e.to, spans[last].From))
			}
		}
	}
}

// sample adds a sample, and marks where the log became shorter: a snapshot has replaced its beginning.
func (n *Node) sample(e moment) {
	if e.Sample == nil {
		return
	}
	s := &n.Samples
	if last := len(s.Log) - 1; last >= 0 && e.Sample.LogEntries < s.Log[last] && e.Sample.Applied >= s.Applied[last] {
		n.Marks = append(n.Marks, Span{From: e.from, To: e.from, Event: e.index, Is: "compacted",
			Text: fmt.Sprintf("the log has %d entries, and had %d", e.Sample.LogEntries, s.Log[last])})
	}
	s.At = append(s.At, e.from)
	s.Applied, s.Behind = append(s.Applied, e.Sample.Applied), append(s.Behind, e.Sample.Behind)
	s.Log, s.Memory = append(s.Log, e.Sample.LogEntries), append(s.Memory, e.Sample.Memory)
}

func (n *Node) mark(e moment, at int64, is string) {
	n.Marks = append(n.Marks, Span{From: at, To: at, Event: e.index, Is: is})
}
