package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// clients makes a lane for each client with its operations. A client whose operation has an unknown outcome goes on under another
// number. Its successor takes over the lane, so that there are as many lanes as clients at a time.
func (t *Trace) clients(order []moment) []Lane {
	numbered := make(map[int][]Span)
	together := make(map[int]*lanes) // what a client did beside its own operations: journals of version 1 have that
	unnamed := lanes{name: "other requests", kind: "client"}
	for _, e := range order {
		if e.Kind != journal.Operation || e.Op == nil {
			continue
		}
		s := Span{From: e.from, To: e.to, Event: e.index, Is: string(e.Op.Outcome)}
		switch {
		case s.Is == "":
			s.Is, s.To, s.Text = string(journal.Unknown), t.Length, "under way at the end"
		case e.Op.Changes():
			s.Text = "change"
		}
		if e.Op.Client == journal.None {
			unnamed.add(s)
			continue
		}
		client := e.Op.Client
		if own := numbered[client]; len(own) > 0 && own[len(own)-1].To > s.From {
			if together[client] == nil {
				together[client] = &lanes{name: fmt.Sprintf("client %d", client), kind: "client"}
			}
			together[client].add(s)
			continue
		}
		numbered[client] = append(numbered[client], s)
	}
	all := succeed(numbered)
	for _, client := range slices.Sorted(maps.Keys(together)) {
		all = append(all, together[client].all()...)
	}
	return append(all, unnamed.all()...)
}

// succeed puts each client into a lane whose last client has ended with an unknown outcome, or into a new one.
func succeed(numbered map[int][]Span) []Lane {
	numbers := slices.Collect(maps.Keys(numbered))
	slices.SortFunc(numbers, func(a, b int) int {
		return cmp.Or(cmp.Compare(numbered[a][0].From, numbered[b][0].From), cmp.Compare(a, b))
	})
	all := []Lane{}
	members := [][]int{}
	for _, number := range numbers {
		spans := numbered[number]
		i := slices.IndexFunc(all, func(l Lane) bool {
			last := l.Spans[len(l.Spans)-1]
			return last.Is == string(journal.Unknown) && last.To <= spans[0].From
		})
		if i < 0 {
			i = len(all)
			all, members = append(all, Lane{Kind: "client"}), append(members, nil)
		}
		all[i].Spans, members[i] = append(all[i].Spans, spans...), append(members[i], number)
	}
	for i, m := range members {
		all[i].Name = fmt.Sprintf("client %d", m[0])
		if len(m) > 1 {
			all[i].Name += fmt.Sprintf(" … %d", m[len(m)-1])
		}
	}
	first := func(l Lane) int { return slices.IndexFunc(all, func(m Lane) bool { return m.Name == l.Name }) }
	order := slices.Clone(all)
	slices.SortFunc(order, func(a, b Lane) int { return cmp.Compare(members[first(a)][0], members[first(b)][0]) })
	return order
}
