//go:build cgo

package isolation_test

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/isolation"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// file is a target of one node: a SQLite file, or a database in memory, by database/sql.
type file struct {
	dsn    string
	levels map[target.Isolation][]string
}

func (f file) Boot(context.Context, int) (target.Cluster, error) {
	db, err := sqldb.Open("sqlite3", f.dsn, sqldb.Options{Node: "n0", Judge: judge, Levels: f.levels})
	if err != nil {
		return nil, err
	}
	return fileCluster{sqldb.Transactions{Levels: db.Isolations(), At: func(int) (*sqldb.DB, error) { return db, nil }}, db}, nil
}

type fileCluster struct {
	sqldb.Transactions
	db *sqldb.DB
}

func (c fileCluster) Nodes() []target.Node               { return []target.Node{fileNode(c)} }
func (c fileCluster) Isolate(context.Context, int) error { return errors.New("there are no links") }
func (c fileCluster) Rejoin(context.Context, int) error  { return errors.New("there are no links") }
func (c fileCluster) Close() error                       { return c.db.Close() }

type fileNode fileCluster

func (n fileNode) ID() string         { return "n0" }
func (n fileNode) Client() target.SQL { return n.db }
func (n fileNode) Inside() target.SQL { return n.db }
func (n fileNode) Status(context.Context) (target.Status, error) {
	return target.Status{ID: "n0", State: target.Online, Role: "leader", Leader: "n0", Term: 1, Voter: true}, nil
}

// judge reads the errors of go-sqlite3.
func judge(err error) sqldb.Verdict {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return sqldb.Verdict{}
	}
	v := sqldb.Verdict{Code: e.Code.Error(), Outcome: target.NotApplied}
	if e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked {
		v.Kind, v.Temporary = target.ErrConflict, true
	}
	return v
}

var _ = Describe("SQLite by database/sql", func() {
	play := func(ctx context.Context, f file, level target.Isolation) map[string]isolation.Verdict {
		GinkgoHelper()
		nothingIsLeft()
		c, err := harness.Boot(ctx, f, harness.Size(1))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		s := isolation.Setting{Cluster: c, Table: "t", Level: level, Nodes: []int{0}}
		return verdicts(ctx, s)
	}

	DescribeTable("shows no anomaly at the level serializable, which it has",
		func(ctx SpecContext, options string, begin string) {
			f := file{"file:" + filepath.Join(GinkgoT().TempDir(), "t.db") + options, map[target.Isolation][]string{target.Serializable: {begin}}}
			all := play(ctx, f, target.Serializable)
			Expect(happening(all)).To(BeEmpty())
			Expect(all).To(HaveKeyWithValue("P4", BeElementOf(isolation.Aborts, isolation.Blocks)))
		},
		Entry("with snapshots, and aborts", patience, "?_journal_mode=WAL&_busy_timeout=0", "BEGIN"),
		Entry("with snapshots, and waits", patience, "?_journal_mode=WAL&_busy_timeout=1000", "BEGIN"),
		Entry("with locks of the file, from the beginning", patience, "?_journal_mode=DELETE&_busy_timeout=3000", "BEGIN IMMEDIATE"),
	)

	It("shows dirty reads where it is told to read what is not committed", func(ctx SpecContext) {
		f := file{"file:dirty?mode=memory&cache=shared", map[target.Isolation][]string{
			target.ReadCommitted: {"PRAGMA read_uncommitted = 1", "BEGIN"}}}
		Expect(happening(play(ctx, f, target.ReadCommitted))).To(ContainElements("G1a", "G1b"))
	}, patience)
})
