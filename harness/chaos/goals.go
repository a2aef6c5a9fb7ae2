package chaos

import (
	"context"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Goal is a state of the cluster that faults are to bring about, in words.
type Goal string

// goals are fixed, so that a run shows which of them it did not reach.
var goals = []struct {
	goal Goal
	is   func(before, now moment) bool
}{
	{"a leader was lost", func(before, now moment) bool { return before.leader >= 0 && now.isLost(before.leader) }},
	{"two nodes were lost at once", func(_, now moment) bool { return len(now.lost) >= 2 }},
	{"all nodes were lost at once", func(_, now moment) bool { return len(now.lost) == len(now.observed) }},
	{"a node came back while another was lost", func(before, now moment) bool { return len(now.lost) > 0 && now.cameBack(before) }},
	{"three faults were in force at once", func(_, now moment) bool { return now.inForce >= 3 }},
	{"a leader was elected while another was cut off", func(before, now moment) bool {
		return now.elected(before) && now.leaderCutOff
	}},
	{"a write was acknowledged with one node lost and one link bad", func(before, now moment) bool {
		return now.acknowledged(before) && len(before.lost) == 1 && len(now.lost) == 1 && before.badLink() && now.badLink()
	}},
	{"a write was acknowledged after a quorum had been lost", func(before, now moment) bool { return before.stood && !now.stood }},
	{"a leader was elected while a clock was wrong", func(before, now moment) bool {
		return now.elected(before) && len(now.faults.Clocks) > 0
	}},
	{"a leader was elected while a disk was slow", func(before, now moment) bool {
		return now.elected(before) && now.slowDisk()
	}},
	{"a leader was elected while a link flapped", func(before, now moment) bool {
		return now.elected(before) && len(now.faults.Flapping) > 0
	}},
	{"a leader was elected while a node was lost", func(before, now moment) bool {
		return now.elected(before) && len(now.lost) > 0
	}},
	{"a node's storage failed", func(_, now moment) bool { return now.failed }},
	{"a snapshot was taken while a link was bad", func(before, now moment) bool { return now.badLink() && now.took(before) }},
	{"a snapshot was installed while a node was lost", func(before, now moment) bool { return len(now.lost) > 0 && now.installed(before) }},
	{"a snapshot was installed while a leader was cut off", func(before, now moment) bool {
		return now.leaderCutOff && now.installed(before)
	}},
	{"a node crashed while it installed a snapshot", func(before, now moment) bool {
		return slices.ContainsFunc(before.installing, func(node int) bool { return now.lost[node] == fault.Crash })
	}},
	{"a wiped node caught up under load", func(before, now moment) bool {
		return before.forgetting && !now.forgetting && now.acknowledged(before)
	}},
	{"a member was added while a link was bad", func(before, now moment) bool {
		return len(now.observed) > len(before.observed) && now.badLink()
	}},
	{"the leader was removed from the cluster", func(before, now moment) bool {
		isLeader := func(o harness.Observation) bool { return o.Node.Index() == before.leader }
		return before.leader >= 0 && !slices.ContainsFunc(now.observed, isLeader)
	}},
}

// Goals returns the states that a run looks for.
func Goals() []Goal {
	var all []Goal
	for _, g := range goals {
		all = append(all, g.goal)
	}
	return all
}

// moment is what a run observes at one time.
type moment struct {
	observed []harness.Observation
	lost     map[int]fault.Mode
	faults   harness.Faults // of links, disks and clocks

	inForce      int // faults of the schedule
	leaderCutOff bool
	forgetting   bool // a fault is in force after which a node comes back with an empty disk

	leader     int    // that of the highest term, or -1
	term       uint64 // its own
	installing []int
	failed     bool
	ok         int  // operations that succeeded so far
	stood      bool // a quorum was lost, and no operation has succeeded since
}

func (p *play) observe(ctx context.Context, before moment) moment {
	m := moment{
		observed: p.cluster.Observe(ctx), lost: make(map[int]fault.Mode), faults: p.cluster.Faults(),
		inForce:      len(p.nemesis.InForce()),
		leaderCutOff: p.nemesis.AnyInForce(func(k nemesis.Kind) bool { return k.On == nemesis.Leader }),
		forgetting:   p.nemesis.AnyInForce(func(k nemesis.Kind) bool { return k.Forgets }),
		leader:       -1, ok: p.tally().OK,
	}
	for _, l := range m.observed {
		if mode, is := p.cluster.Lost(l.Node.Index()); is {
			m.lost[l.Node.Index()] = mode
		}
		m.add(l)
	}
	m.stood = len(m.observed)-len(m.lost) < p.cluster.Quorum() || before.stood && m.ok == before.ok
	return m
}

func (m *moment) add(l harness.Observation) {
	if l.Err != nil {
		return
	}
	if nemesis.Leads(l) && l.Status.Term >= m.term {
		m.leader, m.term = l.Node.Index(), l.Status.Term
	}
	m.failed = m.failed || l.Status.State == target.Failed
	if nemesis.Installing(l.Status) {
		m.installing = append(m.installing, l.Node.Index())
	}
}

func (m moment) badLink() bool { return len(m.faults.Links) > 0 }

func (m moment) slowDisk() bool {
	for _, disk := range m.faults.Disks {
		if disk.Slow > 0 {
			return true
		}
	}
	return false
}

func (m moment) isLost(node int) bool {
	_, is := m.lost[node]
	return is
}

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

// more tells whether the number of any node has grown.
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

// watch notes the goals that are reached, until ctx ends.
func (p *play) watch(ctx context.Context) {
	every := time.NewTicker(max(p.schedule.Pace/2, 50*time.Millisecond))
	defer every.Stop()
	before := p.observe(ctx, moment{})
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		now := p.observe(ctx, before)
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
