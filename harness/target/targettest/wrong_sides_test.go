package targettest_test

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofSides are mistakes about isolation, the two sides of a node, and its status.
func ofSides() []mistake {
	links := func(c target.Cluster) target.LinkFaulter { f, _ := target.As[target.LinkFaulter](c); return f }
	nothing := func(context.Context, int) error { return nil }
	// cut cuts some links only.
	cut := func(clients bool) func(target.Cluster) target.Cluster {
		return func(c target.Cluster) target.Cluster {
			set := func(action fault.Action) func(context.Context, int) error {
				return func(ctx context.Context, node int) (err error) {
					for other := fault.Clients; other < len(c.Nodes()) && err == nil; other++ {
						if other == node || (other == fault.Clients) != clients {
							continue
						}
						if err = links(c).SetLink(ctx, node, other, fault.Rule{Action: action}); err == nil {
							err = links(c).SetLink(ctx, other, node, fault.Rule{Action: action})
						}
					}
					return err
				}
			}
			return over{Cluster: c, isolate: set(fault.Refuse), rejoin: set(fault.Pass)}
		}
	}
	status := func(change func(node int, s *target.Status)) func(target.Cluster) target.Cluster {
		return func(c target.Cluster) target.Cluster {
			return over{Cluster: c, status: func(node int, _ context.Context, s target.Status, err error) (target.Status, error) {
				change(node, &s)
				return s, err
			}}
		}
	}
	return []mistake{
		{"that isolates nothing", "isolates a node from its clients", "Cluster.Isolate", func(c target.Cluster) target.Cluster {
			return over{Cluster: c, isolate: nothing}
		}},
		{"that isolates from clients only", "isolates a node from the other nodes", "Cluster.Isolate", cut(true)},
		{"that isolates from nodes only", "isolates a node from its clients", "Cluster.Isolate", cut(false)},
		{"that does not rejoin", "rejoins a node", "", func(c target.Cluster) target.Cluster {
			return over{Cluster: c, rejoin: nothing}
		}},
		{"whose inside is another client", "reaches the inside of an isolated node", "Node.Inside", func(c target.Cluster) target.Cluster {
			return over{Cluster: c, inside: func(node int, _ target.SQL) target.SQL { return c.Nodes()[node].Client() }}
		}},
		{"whose local reads are the leader's", "answers local reads of the inside from the node's own state", "Node.Inside",
			func(c target.Cluster) target.Cluster {
				return over{Cluster: c, inside: func(node int, own target.SQL) target.SQL {
					return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
						for _, n := range c.Nodes() {
							if s, err := n.Status(ctx); err == nil && s.Role == "leader" && r.Consistency == target.Local {
								return n.Inside().Query(ctx, r)
							}
						}
						return own.Query(ctx, r)
					})
				}}
			}},
		{"whose strong reads are local", "keeps the promise of strong reads while the leader is isolated", "Request.Consistency",
			requests(func(r *target.Request) {
				if r.Consistency == target.Strong {
					r.Consistency = target.Local
				}
			})},
		{"whose leader reads are local while a node is behind", "shows an acknowledged write everywhere", "Request.Consistency",
			func(c target.Cluster) target.Cluster {
				return both(c, func(sql target.SQL) target.SQL {
					return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
						if r.Consistency == target.Leader { // the state of some time ago
							r.SQL = "SELECT 1 WHERE 1 = 0"
						}
						return sql.Query(ctx, r)
					})
				})
			}},
		{"that gives all nodes one name", "names its nodes once and for all", "Node.ID", func(c target.Cluster) target.Cluster {
			return named{over{Cluster: c}}
		}},
		{"whose status is that of the first node", "names its nodes once and for all", "Status.ID",
			status(func(_ int, s *target.Status) { s.ID = "n0" })},
		{"whose nodes are never online", "names its nodes once and for all", "Status.State",
			status(func(_ int, s *target.Status) { s.State = target.Syncing })},
		{"whose nodes each name themselves leader", "tells one leader in a term", "Status.Leader",
			status(func(_ int, s *target.Status) { s.Leader = s.ID })},
		{"whose leader is an address", "tells one leader in a term", "Status.Leader",
			status(func(_ int, s *target.Status) { s.Leader = "127.0.0.1:4001" })},
		{"whose leader is remembered", "tells of an isolated leader that another one leads", "Status.Leader",
			status(func(_ int, s *target.Status) { s.Leader = "n0" })},
		{"whose term goes back", "counts terms and indexes upwards, and counts writes", "Status.Term",
			func() func(target.Cluster) target.Cluster {
				terms := uint64(100)
				return status(func(_ int, s *target.Status) { terms--; s.Term = terms })
			}()},
		{"whose indexes stand still", "counts terms and indexes upwards, and counts writes", "Status.CommitIndex",
			status(func(_ int, s *target.Status) { s.CommitIndex, s.AppliedIndex = 7, 7 })},
		{"whose applied index runs ahead", "shows an acknowledged write everywhere", "Status.AppliedIndex",
			func(c target.Cluster) target.Cluster {
				return over{Cluster: lagging{c}, status: func(_ int, ctx context.Context, s target.Status, err error) (target.Status, error) {
					first, _ := c.Nodes()[0].Status(ctx)
					s.CommitIndex, s.AppliedIndex = first.CommitIndex, first.CommitIndex
					return s, err
				}}
			}},
		{"whose status remembers a node that is down", "crashes and starts a node", "Node.Status", func(c target.Cluster) target.Cluster {
			return over{Cluster: c, status: func(_ int, _ context.Context, s target.Status, err error) (target.Status, error) {
				s.State = target.Online
				return s, err
			}}
		}},
		{"whose status waits for a paused node", "obeys a context that ends at a paused node", "Node.Status",
			func(c target.Cluster) target.Cluster {
				return over{Cluster: c, status: func(_ int, _ context.Context, s target.Status, err error) (target.Status, error) {
					if s.State == target.Offline {
						time.Sleep(1500 * time.Millisecond) // as without a deadline on the connection
					}
					return s, err
				}}
			}},
	}
}

// named has nodes of one name.
type named struct{ over }

func (n named) Unwrap() target.Cluster { return n.over }

func (n named) Nodes() (nodes []target.Node) {
	for _, node := range n.over.Nodes() {
		nodes = append(nodes, namesake{node})
	}
	return nodes
}

type namesake struct{ target.Node }

func (namesake) ID() string { return "node" }

// lagging is a cluster whose last node shows rows only after it has been asked for them a few times.
type lagging struct{ target.Cluster }

func (l lagging) Unwrap() target.Cluster { return l.Cluster }

func (l lagging) Nodes() []target.Node {
	nodes := l.Cluster.Nodes()
	last := len(nodes) - 1
	nodes[last] = &late{Node: nodes[last]}
	return nodes
}

type late struct{ target.Node }

func (n *late) Inside() target.SQL {
	begun := time.Now()
	return asking(func(ctx context.Context, r target.Request) (target.Rows, error) {
		if time.Now().UnixMilli()%10 < 5 && !begun.IsZero() { // half of the time it has not applied what it says
			r.SQL = "SELECT 1 WHERE 1 = 0"
		}
		return n.Node.Inside().Query(ctx, r)
	})
}
