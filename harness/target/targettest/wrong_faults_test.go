package targettest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofFaults are mistakes about lives, links, disks, clocks and members.
func ofFaults() []mistake {
	starter := func(change func(target.Starter, *lives)) func(target.Cluster) target.Cluster {
		return func(c target.Cluster) target.Cluster {
			s, _ := target.As[target.Starter](c)
			l := lives{Cluster: c, stop: s.Stop, crash: s.Crash, start: s.Start}
			change(s, &l)
			return l
		}
	}
	links := func(change func(target.LinkFaulter, *wires)) func(target.Cluster) target.Cluster {
		return func(c target.Cluster) target.Cluster {
			f, _ := target.As[target.LinkFaulter](c)
			w := wires{Cluster: c, set: f.SetLink, reset: f.ResetLink, stats: f.LinkStats}
			change(f, &w)
			return w
		}
	}
	nothing := func(context.Context, int) error { return nil }
	return []mistake{
		{"that stops nothing", "stops and starts a node", "Starter.Stop",
			starter(func(_ target.Starter, l *lives) { l.stop, l.start = nothing, nothing })},
		{"that crashes nothing", "crashes and starts a node", "Starter.Crash",
			starter(func(_ target.Starter, l *lives) { l.crash, l.start = nothing, nothing })},
		{"that starts nothing", "crashes and starts a node", "Starter.Start", starter(func(_ target.Starter, l *lives) { l.start = nothing })},
		{"that starts nodes with an empty disk", "keeps what was acknowledged when all nodes crash", "SQL.Query",
			func(c target.Cluster) target.Cluster {
				s, _ := target.As[target.Starter](c)
				return lives{Cluster: c, stop: s.Stop, crash: s.Crash, start: func(ctx context.Context, node int) error {
					d, _ := target.As[target.Diverger](c)
					return errors.Join(s.Start(ctx, node), d.Diverge(ctx, node, "DELETE FROM conformance.t WHERE k < 6"))
				}}
			}},
		{"that cannot crash a paused node", "crashes a paused node", "Starter.Crash", func(c target.Cluster) target.Cluster {
			s, _ := target.As[target.Starter](c)
			return lives{Cluster: c, stop: s.Stop, start: s.Start, crash: s.Stop}
		}},
		{"that pauses nothing", "pauses and resumes a node", "Pauser.Pause", func(c target.Cluster) target.Cluster {
			return pauses{c, nothing, nothing}
		}},
		{"that counts pauses", "takes a second pause and a second resume", "Pauser.", func(c target.Cluster) target.Cluster {
			p, _ := target.As[target.Pauser](c)
			paused := make(map[int]int)
			return pauses{c, func(ctx context.Context, node int) error {
				paused[node]++
				return p.Pause(ctx, node)
			}, func(ctx context.Context, node int) error {
				if paused[node]--; paused[node] > 0 {
					return nil
				} else if paused[node] < 0 {
					return fmt.Errorf("node %d is not paused", node)
				}
				return p.Resume(ctx, node)
			}}
		}},
		{"that cuts the other direction", "cuts the way of requests, and not that of answers", "LinkFaulter.SetLink",
			links(func(f target.LinkFaulter, w *wires) {
				w.set = func(ctx context.Context, from, to int, r fault.Rule) error { return f.SetLink(ctx, to, from, r) }
			})},
		{"that cuts both directions", "cuts the way of answers, and not that of requests", "LinkFaulter.SetLink",
			links(func(f target.LinkFaulter, w *wires) {
				w.set = func(ctx context.Context, from, to int, r fault.Rule) error {
					return errors.Join(f.SetLink(ctx, to, from, r), f.SetLink(ctx, from, to, r))
				}
			})},
		{"that cuts the links of clients only", "cuts the ways to a node, and counts what they deliver", "LinkFaulter.SetLink",
			links(func(f target.LinkFaulter, w *wires) {
				w.set = func(ctx context.Context, from, to int, r fault.Rule) error {
					if from != fault.Clients && to != fault.Clients {
						return r.Validate()
					}
					return f.SetLink(ctx, from, to, r)
				}
			})},
		{"that counts nothing", "cuts the ways to a node, and counts what they deliver", "LinkFaulter.LinkStats",
			links(func(_ target.LinkFaulter, w *wires) {
				w.stats = func(context.Context, int, int) (fault.LinkStats, error) { return fault.LinkStats{}, nil }
			})},
		{"that counts what it drops", "cuts the ways to a node, and counts what they deliver", "LinkFaulter.LinkStats",
			links(func(_ target.LinkFaulter, w *wires) {
				var sent uint64
				w.stats = func(context.Context, int, int) (fault.LinkStats, error) {
					sent++
					return fault.LinkStats{Messages: sent}, nil
				}
			})},
		{"that knows no latency", "slows a link", "LinkFaulter.SetLink", links(func(f target.LinkFaulter, w *wires) {
			w.set = func(ctx context.Context, from, to int, r fault.Rule) error {
				r.Latency = 0
				return f.SetLink(ctx, from, to, r)
			}
		})},
		{"that resets nothing", "resets a link", "LinkFaulter.ResetLink", links(func(_ target.LinkFaulter, w *wires) {
			w.reset = func(context.Context, int, int) error { return nil }
		})},
		{"whose rules end an isolation", "keeps an isolated node cut off under any rule", "LinkFaulter.SetLink",
			func(c target.Cluster) target.Cluster {
				f, _ := target.As[target.LinkFaulter](c)
				return wires{Cluster: c, reset: f.ResetLink, stats: f.LinkStats, set: func(ctx context.Context, from, to int, r fault.Rule) error {
					return errors.Join(f.SetLink(ctx, from, to, r), c.Rejoin(ctx, max(from, to)))
				}}
			}},
		{"that takes any rule", "refuses a rule that is invalid", "LinkFaulter.SetLink", links(func(f target.LinkFaulter, w *wires) {
			w.set = func(ctx context.Context, from, to int, r fault.Rule) error {
				if r.Validate() != nil {
					return nil
				}
				return f.SetLink(ctx, from, to, r)
			}
		})},
		{"whose disks are never slow", "slows disks", "DiskFaulter.SetDisk", func(c target.Cluster) target.Cluster {
			return wrongDisks(c, func(d *fault.Disk) { d.Slow = 0 })
		}},
		{"whose disks are never full", "fills disks", "DiskFaulter.SetDisk", func(c target.Cluster) target.Cluster {
			return wrongDisks(c, func(d *fault.Disk) { d.Full, d.Failing = false, false })
		}},
		{"whose clocks go the other way", "sets a clock, and keeps serving", "ClockSetter.SetClock", func(c target.Cluster) target.Cluster {
			s, _ := target.As[target.ClockSetter](c)
			return clocks{c, func(ctx context.Context, node int, ahead time.Duration) error { return s.SetClock(ctx, node, -ahead) }}
		}},
		{"that adds nodes at the front", "adds a node", "Membership.Add", func(c target.Cluster) target.Cluster {
			m, _ := target.As[target.Membership](c)
			return &members{Cluster: c, Membership: m}
		}},
		{"that leaves a removed node running", "removes a node", "Membership.Remove", func(c target.Cluster) target.Cluster {
			m, _ := target.As[target.Membership](c)
			return &members{Cluster: c, Membership: m, removes: true}
		}},
		{"that replaces a node by nothing", "replaces a node", "Membership.Replace", func(c target.Cluster) target.Cluster {
			m, _ := target.As[target.Membership](c)
			return &members{Cluster: c, Membership: m, replaces: true}
		}},
	}
}

type lives struct {
	target.Cluster
	stop, crash, start func(context.Context, int) error
}

func (l lives) Unwrap() target.Cluster                    { return l.Cluster }
func (l lives) Stop(ctx context.Context, node int) error  { return l.stop(ctx, node) }
func (l lives) Crash(ctx context.Context, node int) error { return l.crash(ctx, node) }
func (l lives) Start(ctx context.Context, node int) error { return l.start(ctx, node) }

type pauses struct {
	target.Cluster
	pause, resume func(context.Context, int) error
}

func (p pauses) Unwrap() target.Cluster                     { return p.Cluster }
func (p pauses) Pause(ctx context.Context, node int) error  { return p.pause(ctx, node) }
func (p pauses) Resume(ctx context.Context, node int) error { return p.resume(ctx, node) }

type wires struct {
	target.Cluster
	set   func(ctx context.Context, from, to int, r fault.Rule) error
	reset func(ctx context.Context, from, to int) error
	stats func(ctx context.Context, from, to int) (fault.LinkStats, error)
}

func (w wires) Unwrap() target.Cluster { return w.Cluster }
func (w wires) SetLink(ctx context.Context, from, to int, r fault.Rule) error {
	return w.set(ctx, from, to, r)
}
func (w wires) ResetLink(ctx context.Context, from, to int) error { return w.reset(ctx, from, to) }
func (w wires) LinkStats(ctx context.Context, from, to int) (fault.LinkStats, error) {
	return w.stats(ctx, from, to)
}

// blind is a cluster that cannot inspect faults.
type blind struct {
	target.Cluster
	target.DiskFaulter
	change func(*fault.Disk)
}

func wrongDisks(c target.Cluster, change func(*fault.Disk)) target.Cluster {
	d, _ := target.As[target.DiskFaulter](c)
	return blind{c, d, change}
}

func (b blind) SetDisk(ctx context.Context, node int, faults fault.Disk) error {
	b.change(&faults)
	return b.DiskFaulter.SetDisk(ctx, node, faults)
}

type clocks struct {
	target.Cluster
	set func(context.Context, int, time.Duration) error
}

func (c clocks) Unwrap() target.Cluster { return c.Cluster }
func (c clocks) SetClock(ctx context.Context, node int, ahead time.Duration) error {
	return c.set(ctx, node, ahead)
}

// members is wrong about membership in one way; by default in the order of nodes.
type members struct {
	target.Cluster
	target.Membership
	removes, replaces bool
	added             bool
}

func (m *members) Unwrap() target.Cluster { return m.Cluster }

func (m *members) Nodes() []target.Node {
	nodes := m.Cluster.Nodes()
	if m.added {
		last := len(nodes) - 1
		nodes = append([]target.Node{nodes[last]}, nodes[:last]...)
	}
	return nodes
}

func (m *members) Add(ctx context.Context, voter bool) (target.Node, error) {
	n, err := m.Membership.Add(ctx, voter)
	m.added = !m.removes && !m.replaces
	return n, err
}

func (m *members) Remove(ctx context.Context, node int) error {
	if m.removes {
		return nil
	}
	return m.Membership.Remove(ctx, node)
}

func (m *members) Replace(ctx context.Context, node int) error {
	if m.replaces {
		return nil
	}
	return m.Membership.Replace(ctx, node)
}
