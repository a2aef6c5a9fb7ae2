package targettest_test

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofAbilities are mistakes about logs, files, digests, inspection, transactions and versions.
func ofAbilities() []mistake {
	return []mistake{
		{"that returns the beginning of a log", "reads the end of a node's log", "LogReader.Log", func(c target.Cluster) target.Cluster {
			l, _ := target.As[target.LogReader](c)
			return logs{c, func(node, most int) (string, error) {
				all, err := l.Log(node, 1<<20)
				return all[:min(most, len(all))], err
			}}
		}},
		{"that returns a whole log", "reads the end of a node's log", "LogReader.Log", func(c target.Cluster) target.Cluster {
			l, _ := target.As[target.LogReader](c)
			return logs{c, func(node, _ int) (string, error) { return l.Log(node, 1<<20) }}
		}},
		{"that loses the log of a crashed node", "keeps a node's log over a crash", "LogReader.Log", func(c target.Cluster) target.Cluster {
			l, _ := target.As[target.LogReader](c)
			return logs{c, func(node, most int) (string, error) {
				if s, err := c.Nodes()[node].Status(context.Background()); err == nil && s.State == target.Offline {
					return "", nil
				}
				return l.Log(node, most)
			}}
		}},
		{"that lists files without order", "lists a node's files", "FileLister.Files", func(c target.Cluster) target.Cluster {
			return files{c, []string{"state", "log"}}
		}},
		{"that lists absolute paths", "lists a node's files", "FileLister.Files", func(c target.Cluster) target.Cluster {
			return files{c, []string{"/tmp/state"}}
		}},
		{"that hashes the index", "hashes what nodes hold", "Digester.Digest", func(c target.Cluster) target.Cluster {
			return digests{c, func(node int) string { return "the same" }}
		}},
		{"that hashes the name of the node", "hashes what nodes hold", "Digester.Digest", func(c target.Cluster) target.Cluster {
			return digests{c, func(node int) string { return fmt.Sprint(node) }}
		}},
		{"that makes all replicas differ", "makes one replica differ", "Diverger.Diverge", func(c target.Cluster) target.Cluster {
			return diverges{c}
		}},
		{"that reports no role", "reports changes of role", "RoleReporter.ReportRoles", func(c target.Cluster) target.Cluster {
			return mute{c}
		}},
		{"that reports no fault", "reports the faults in force", "FaultInspector.Link", func(c target.Cluster) target.Cluster {
			i, _ := target.As[target.FaultInspector](c)
			return survey{c, i}
		}},
		{"that commits each statement", "commits and rolls back transactions", "Transaction.", func(c target.Cluster) target.Cluster {
			t, _ := target.As[target.Transactor](c)
			return transactor{c, t, func(tx target.Transaction) target.Transaction { return autocommit{tx, c} }}
		}},
		{"that forgets to commit", "commits and rolls back transactions", "Transaction.", func(c target.Cluster) target.Cluster {
			t, _ := target.As[target.Transactor](c)
			return transactor{c, t, func(tx target.Transaction) target.Transaction { return forgetful{tx} }}
		}},
		{"that commits what is rolled back", "commits and rolls back transactions", "Transaction.", func(c target.Cluster) target.Cluster {
			t, _ := target.As[target.Transactor](c)
			return transactor{c, t, func(tx target.Transaction) target.Transaction { return &committing{tx, false} }}
		}},
		{"that ignores the version", "runs the version that is set", "Upgrader.", func(c target.Cluster) target.Cluster {
			u, _ := target.As[target.Upgrader](c)
			return upgrader{c, u}
		}},
		{"that remembers no request", "applies a request with an ID once", "Deduplicator.Remembered", func(c target.Cluster) target.Cluster {
			d, _ := target.As[target.Deduplicator](c)
			return amnesic{c, d}
		}},
	}
}

type logs struct {
	target.Cluster
	log func(node, most int) (string, error)
}

func (l logs) Unwrap() target.Cluster                 { return l.Cluster }
func (l logs) Log(node int, most int) (string, error) { return l.log(node, most) }

type files struct {
	target.Cluster
	names []string
}

func (f files) Unwrap() target.Cluster                       { return f.Cluster }
func (f files) Files(context.Context, int) ([]string, error) { return f.names, nil }

type digests struct {
	target.Cluster
	sum func(node int) string
}

func (d digests) Unwrap() target.Cluster { return d.Cluster }
func (d digests) Digest(_ context.Context, node int) (uint64, string, error) {
	return 1, d.sum(node), nil
}

type diverges struct{ target.Cluster }

func (d diverges) Unwrap() target.Cluster { return d.Cluster }
func (d diverges) Diverge(ctx context.Context, node int, sql string) error {
	rows, err := d.Nodes()[node].Inside().Query(ctx, target.Request{SQL: sql})
	if err != nil {
		return err
	}
	return rows.Close()
}

type mute struct{ target.Cluster }

func (m mute) Unwrap() target.Cluster              { return m.Cluster }
func (m mute) ReportRoles(func(target.RoleChange)) {}

type survey struct {
	target.Cluster
	target.FaultInspector
}

func (s survey) Unwrap() target.Cluster { return s.Cluster }
func (s survey) Link(context.Context, int, int) (target.LinkState, error) {
	return target.LinkState{}, nil
}
func (s survey) Disk(context.Context, int) (fault.Disk, error) { return fault.Disk{}, nil }

type transactor struct {
	target.Cluster
	target.Transactor
	wrong func(target.Transaction) target.Transaction
}

func (t transactor) Unwrap() target.Cluster { return t.Cluster }
func (t transactor) Begin(ctx context.Context, node int, level target.Isolation) (target.Transaction, error) {
	tx, err := t.Transactor.Begin(ctx, node, level)
	if err != nil {
		return nil, err
	}
	return t.wrong(tx), nil
}

// autocommit sends statements without the transaction.
type autocommit struct {
	target.Transaction
	c target.Cluster
}

func (a autocommit) Query(ctx context.Context, r target.Request) (target.Rows, error) {
	return a.c.Nodes()[0].Client().Query(ctx, r)
}

// forgetful rolls back in place of a commit.
type forgetful struct{ target.Transaction }

func (f forgetful) Commit(ctx context.Context) error { return f.Rollback(ctx) }

// committing commits in place of a rollback.
type committing struct {
	target.Transaction
	over bool
}

func (c *committing) Rollback(ctx context.Context) error {
	if c.over {
		return nil
	}
	c.over = true
	return c.Transaction.Commit(ctx)
}

func (c *committing) Commit(ctx context.Context) error {
	c.over = true
	return c.Transaction.Commit(ctx)
}

type upgrader struct {
	target.Cluster
	target.Upgrader
}

func (u upgrader) Unwrap() target.Cluster                        { return u.Cluster }
func (u upgrader) SetVersion(context.Context, int, string) error { return nil }

type amnesic struct {
	target.Cluster
	target.Deduplicator
}

func (a amnesic) Unwrap() target.Cluster { return a.Cluster }
func (a amnesic) Remembered(context.Context, int) (map[string]bool, error) {
	return map[string]bool{}, nil
}
