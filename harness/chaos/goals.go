package chaos

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Goal is a state that trouble is to bring about, in words.
type Goal string

// goals are listed beforehand, so that it shows which of them were never reached.
var goals = []struct {
	goal Goal
	is   func(before, now moment) bool
}{
	{"a leader was lost", func(before, now moment) bool { return before.leader >= 0 && now.isLost(before.leader) }},
	{"two nodes were lost at once", func(_, now moment) bool { return len(now.lost) >= 2 }},
	{"all nodes were lost at once", func(_, now moment) bool { return len(now.lost) == len(now.observed) }},
	{"a node came back while another was lost", func(before, now moment) bool { return len(now.lost) > 0 && now.cameBack(before) }},
	{"three faults were in force at once", func(_, now moment) bool { return len(now.faults) >= 3 }},
	{"a leader was elected while another was cut off", func(before, now moment) bool { return now.elected(before) && now.has(IsolateLeader) }},
	{"a write was acknowledged with one node lost and one link bad", func(before, now moment) bool {
		return now.acknowledged(before) && len(before.lost) == 1 && len(now.lost) == 1 && before.badLinks > 0 && now.badLinks > 0
	}},
	{"a write was acknowledged after a quorum had been lost", func(before, now moment) bool { return before.stood && !now.stood }},
	{"a leader was elected while a clock was wrong", func(before, now moment) bool { return now.elected(before) && now.any(Kind.ofClock) }},
	{"a leader was elected while a disk was slow", func(before, now moment) bool { return now.elected(before) && now.has(SlowDisk) }},
	{"a leader was elected while a link flapped", func(before, now moment) bool { return now.elected(before) && now.has(FlappingLink) }},
	{"a leader was elected while a node was lost", func(before, now moment) bool { return now.elected(before) && len(now.lost) > 0 }},
	{"a node's storage failed", func(_, now moment) bool { return now.failed }},
	{"a snapshot was taken while a link was bad", func(before, now moment) bool { return now.badLinks > 0 && now.took(before) }},
	{"a snapshot was installed while a node was lost", func(before, now moment) bool { return len(now.lost) > 0 && now.installed(before) }},
	{"a snapshot was installed while a leader was cut off", func(before, now moment) bool { return now.has(IsolateLeader) && now.installed(before) }},
	{"a node crashed while it installed a snapshot", func(before, now moment) bool {
		return slices.ContainsFunc(before.installing, func(node int) bool { return now.lost[node] == fault.Crash })
	}},
	{"a wiped node caught up under load", func(before, now moment) bool {
		return before.any(Kind.forgets) && !now.any(Kind.forgets) && now.acknowledged(before)
	}},
	{"a member was added while a link was bad", func(before, now moment) bool { return len(now.observed) > len(before.observed) && now.badLinks > 0 }},
	{"the leader was removed from the cluster", func(before, now moment) bool {
		return before.leader >= 0 && !slices.ContainsFunc(now.observed, func(l harness.Observation) bool { return l.Node.Index() == before.leader })
	}},
}

// Goals are the states that are looked for.
func Goals() []Goal {
	var all []Goal
	for _, g := range goals {
		all = append(all, g.goal)
	}
	return all
}

// moment is what could be seen at one time.
type moment struct {
	observed   []harness.Observation
	lost       map[int]fault.Mode
	faults     []Fault // in force
	badLinks   int
	leader     int    // that of the highest term, or -1
	term       uint64 // its own
	installing []int
	failed     bool
	ok         int  // operations that succeeded so far
	stood      bool // a quorum was lost, and nothing has succeeded since
}

func (p *play) look(ctx context.Context, before moment) moment {
	m := moment{observed: p.cluster.Observe(ctx), lost: make(map[int]fault.Mode), leader: -1, ok: p.tally().OK}
	m.badLinks = len(p.cluster.Faults().Links)
	p.mu.Lock()
	m.faults = slices.Collect(maps.Values(p.active))
	p.mu.Unlock()
	for _, l := range m.observed {
		if mode, is := p.cluster.Lost(l.Node.Index()); is {
			m.lost[l.Node.Index()] = mode
		}
		m.see(l)
	}
	m.stood = len(m.observed)-len(m.lost) < p.cluster.Quorum() || before.stood && m.ok == before.ok
	return m
}

func (m *moment) see(l harness.Observation) {
	if l.Err != nil {
		return
	}
	if leads(l) {
		if l.Status.Term >= m.term {
			m.leader, m.term = l.Node.Index(), l.Status.Term
		}
	}
	m.failed = m.failed || l.Status.State == target.Failed
	if isAtASnapshot(l.Status) {
		m.installing = append(m.installing, l.Node.Index())
	}
}

func (m moment) has(k Kind) bool { return m.any(func(is Kind) bool { return is == k }) }

func (m moment) any(is func(Kind) bool) bool {
	return slices.ContainsFunc(m.faults, func(f Fault) bool { return is(f.Kind) })
}

func (m moment) isLost(node int) bool { _, is := m.lost[node]; return is }

func (m moment) acknowledged(before moment) bool { return m.ok > before.ok }

func (m moment) elected(before moment) bool {
	return before.leader >= 0 && m.leader >= 0 && m.term > before.term
}

func (m moment) cameBack(before moment) bool {
	for node := range before.lost {
		if !m.isLost(node) {
			return true
		}
	}
	return false
}

func (m moment) took(before moment) bool {
	return m.more(before, func(s target.Status) uint64 { return s.SnapshotIndex })
}

func (m moment) installed(before moment) bool {
	return m.more(before, func(s target.Status) uint64 { return s.Restores })
}

// more tells whether some node's number has grown.
func (m moment) more(before moment, of func(target.Status) uint64) bool {
	for _, now := range m.observed {
		for _, was := range before.observed {
			if now.Node.Index() == was.Node.Index() && now.Err == nil && was.Err == nil && of(now.Status) > of(was.Status) {
				return true
			}
		}
	}
	return false
}

// watch looks again and again which goals are reached, until ctx ends.
func (p *play) watch(ctx context.Context) {
	every := time.NewTicker(max(p.schedule.Pace/2, 50*time.Millisecond))
	defer every.Stop()
	before := p.look(ctx, moment{})
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		now := p.look(ctx, before)
		if ctx.Err() != nil {
			return
		}
		p.note(before, now)
		before = now
	}
}

func (p *play) note(before, now moment) {
	for _, g := range goals {
		if g.is(before, now) {
			p.mu.Lock()
			p.reached[g.goal]++
			p.mu.Unlock()
		}
	}
}
