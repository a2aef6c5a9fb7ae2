package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

func open(path string, mode sqlite.Mode) *sqlite.Conn {
	GinkgoHelper()
	c, err := sqlite.Open(path, mode)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

func newFile() string { return filepath.Join(GinkgoT().TempDir(), "a ?%#&.db") }

func ask(c *sqlite.Conn, sql string, params ...any) ([][]any, error) {
	rows, _, err := c.Query(context.Background(), sql, params)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return out, rows.Close()
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		out = append(out, append([]any{}, row...))
	}
}

const runaway = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"

var _ = Describe("A connection", func() {
	var path string
	var c *sqlite.Conn
	BeforeEach(func() {
		path = newFile()
		c = open(path, sqlite.Writer)
		Expect(c.Trusted("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'one')")).To(Succeed())
	})

	DescribeTable("uses its own clock and seed", func(expression string) {
		other := open(newFile(), sqlite.Writer)
		_, err := ask(other, "SELECT random(), randomblob(3)")
		Expect(err).NotTo(HaveOccurred())
		sql := "SELECT " + expression
		at := time.UnixMilli(1_700_000_000_123)
		var answers [][][]any
		for _, each := range []*sqlite.Conn{c, other, c} {
			each.SetNow(at)
			each.SetRandom(1, 2)
			answer, err := ask(each, sql)
			Expect(err).NotTo(HaveOccurred())
			answers = append(answers, answer)
		}
		Expect(answers[1]).To(Equal(answers[0]))
		Expect(answers[2]).To(Equal(answers[0]))

		c.SetNow(at.Add(36 * time.Hour))
		c.SetRandom(1, 3)
		Expect(ask(c, sql)).NotTo(Equal(answers[0]))
	},
		Entry(nil, "random()"), Entry(nil, "randomblob(16)"), Entry(nil, "hex(randomblob(1 + abs(random() % 100)))"),
		Entry(nil, "CURRENT_TIMESTAMP"), Entry(nil, "CURRENT_DATE"), Entry(nil, "CURRENT_TIME"), Entry(nil, "datetime()"),
		Entry(nil, "date('now')"), Entry(nil, "julianday('now')"), Entry(nil, "strftime('%f %J')"), Entry(nil, "unixepoch('subsec')"),
	)

	It("returns random blobs of the requested length", func() {
		Expect(ask(c, "SELECT length(randomblob(0)), length(randomblob(-5)), length(randomblob(1)), length(randomblob(17))")).
			To(Equal([][]any{{int64(1), int64(1), int64(1), int64(17)}}))
	})

	It("has millisecond time, also before 1970", func() {
		for _, ms := range []int64{0, -1, 1_700_000_000_123, 253402300799999} {
			c.SetNow(time.UnixMilli(ms))
			Expect(ask(c, "SELECT strftime('%Y-%m-%d %H:%M:%f')")).To(Equal([][]any{{time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000")}}))
		}
	})

	It("has the same cost for the same statements, regardless of its history", func() {
		const ordered = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 1000) SELECT DISTINCT n FROM r, t ORDER BY -n"
		other := open(newFile(), sqlite.Writer)
		Expect(other.Trusted("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'one')")).To(Succeed())
		cost := func(c *sqlite.Conn) sqlite.Cost {
			Expect(c.Begin(0, 0)).To(Succeed())
			_, err := ask(c, ordered)
			Expect(err).NotTo(HaveOccurred())
			return c.End()
		}
		first := cost(c)
		Expect(first.Steps).To(BeNumerically(">", 5000))
		Expect(first.Memory).To(BeNumerically(">", 10_000))
		for range 3 {
			Expect(cost(other)).To(Equal(first))
		}
		for range 3 {
			Expect(c.Begin(first.Steps, first.Memory)).To(Succeed())
			Expect(ask(c, ordered)).To(HaveLen(1000))
			Expect(c.Begin(first.Steps-1000, 0)).To(Succeed())
			_, err := ask(c, ordered)
			Expect(err).To(MatchError(sqlite.ErrBudget))
			Expect(c.Begin(0, first.Memory/2)).To(Succeed())
			_, err = ask(c, ordered)
			Expect(err).To(MatchError(sqlite.ErrMemory))
		}
		Expect(c.Begin(0, 0)).To(Succeed())
	})

	It("has the same cost for the first call of a function", func() {
		cost := func() sqlite.Cost {
			Expect(c.Begin(0, 0)).To(Succeed())
			Expect(ask(c, "SELECT instr('one', 'n'), 'one' LIKE 'o!_' ESCAPE '!', json_extract('[1]', '$[0]')")).To(HaveLen(1))
			return c.End()
		}
		first := cost()
		for range 3 {
			Expect(cost()).To(Equal(first))
		}
	})

	It("ends a statement that exceeds the budget, but not its own statements", func() {
		Expect(c.Begin(1000, 0)).To(Succeed())
		_, err := ask(c, "DELETE FROM t WHERE id > ("+runaway+")")
		Expect(err).To(MatchError(sqlite.ErrBudget))
		Expect(c.Lookup("SELECT count(*) FROM t")).To(BeEquivalentTo(1))
		Expect(c.Begin(0, 0)).To(Succeed())
		Expect(ask(c, "SELECT * FROM t")).To(HaveLen(1))
	})

	It("refuses a client statement with the same text as a cached statement of its own", func() {
		const own = "DELETE FROM rejoin_x WHERE id < ?"
		Expect(c.Trusted("CREATE TABLE rejoin_x (id)")).To(Succeed())
		for range 3 {
			Expect(c.Trusted(own, int64(5))).To(Succeed())
			_, err := c.Lookup("DELETE FROM rejoin_x WHERE id < ? RETURNING id", int64(5))
			Expect(err).NotTo(HaveOccurred())
			for _, text := range []string{own, own + " RETURNING id"} {
				_, err = ask(c, text, int64(5))
				Expect(err).To(MatchError(sqlite.ErrRefused))
			}
		}
		By("after a schema change, when it is compiled again")
		Expect(c.Trusted("CREATE TABLE more (v)")).To(Succeed())
		_, err := ask(c, own, int64(5))
		Expect(err).To(MatchError(sqlite.ErrRefused))
		Expect(c.Trusted(own, int64(5))).To(Succeed())
	})

	It("does not report an earlier refusal", func() {
		_, err := ask(c, "PRAGMA user_version = 1")
		Expect(err).To(MatchError(sqlite.ErrRefused))
		Expect(c.Trusted("INSERT INTO t VALUES (1, 2)")).To(MatchError("UNIQUE constraint failed: t.id"))
		_, err = ask(c, "PRAGMA user_version = 1")
		Expect(err).To(MatchError(sqlite.ErrRefused))
		_, err = c.Lookup("SELECT * FROM nowhere")
		Expect(err).To(MatchError("no such table: nowhere"))
	})

	It("refuses VACUUM, also after comments and outside a transaction", func() {
		for _, sql := range []string{"vacuum", "/* x */ VACUUM", "-- x\nVACUUM INTO '" + path + ".copy'"} {
			_, err := ask(c, sql)
			Expect(err).To(MatchError(sqlite.ErrRefused), sql)
		}
		Expect(filepath.Glob(filepath.Dir(path) + "/*copy*")).To(BeEmpty())
	})

	It("looks up one value, or none", func() {
		Expect(c.Lookup("SELECT v, id FROM t WHERE id = ?", int64(1))).To(Equal("one"))
		Expect(c.Lookup("SELECT v FROM t WHERE id = ?", int64(2))).To(BeNil())
		Expect(c.Lookup("SAVEPOINT s")).To(BeNil())
		Expect(c.InTransaction()).To(BeTrue())
		Expect(c.Lookup("RELEASE s")).To(BeNil())
		Expect(c.InTransaction()).To(BeFalse())
	})

	It("opens no files except the database's", func() {
		fds := func() []string {
			var out []string
			entries, err := os.ReadDir("/proc/self/fd")
			if err != nil {
				Skip("this system does not list open files")
			}
			for _, e := range entries {
				if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasSuffix(to, "(deleted)") {
					out = append(out, to)
				}
			}
			return out
		}
		const wide = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 100000) SELECT hex(randomblob(100)) AS x FROM r " +
			"ORDER BY x"
		before := fds()
		rows, _, err := c.Query(context.Background(), wide, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(fds()).To(Equal(before))
		Expect(rows.Close()).To(Succeed())
	})

	It("can be closed twice", func() {
		Expect(c.Close()).To(Succeed())
		Expect(c.Close()).To(Succeed())
	})

	It("reports deferred foreign key violations", func() {
		Expect(c.Trusted("CREATE TABLE c (t REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED); BEGIN")).To(Succeed())
		Expect(c.DeferredViolations()).To(BeFalse())
		Expect(c.Trusted("INSERT INTO c VALUES (2)")).To(Succeed())
		Expect(c.DeferredViolations()).To(BeTrue())
		Expect(c.Trusted("INSERT INTO t VALUES (2, 2)")).To(Succeed())
		Expect(c.DeferredViolations()).To(BeFalse())
		Expect(c.Changes()).To(Equal(int64(1)))
		Expect(c.Trusted("ROLLBACK")).To(Succeed())
	})

	It("is copied at its snapshot, and not at all when the context has ended", func() {
		reader := open(path, sqlite.Reader)
		Expect(reader.Trusted("BEGIN; SELECT * FROM t")).To(Succeed())
		Expect(c.Trusted("INSERT INTO t VALUES (2, 'two')")).To(Succeed())
		to := open(newFile(), sqlite.Plain)
		Expect(to.Copy(context.Background(), reader)).To(Succeed())
		Expect(ask(to, "SELECT v FROM t")).To(Equal([][]any{{"one"}}))
		Expect(reader.Trusted("ROLLBACK")).To(Succeed())

		Expect(c.Trusted("INSERT INTO t (v) SELECT zeroblob(1000000) FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8))")).To(Succeed())
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		Expect(to.Copy(ctx, reader)).To(MatchError(context.Canceled))
		Expect(ask(to, "SELECT v FROM t")).To(Equal([][]any{{"one"}}))
	})

	It("cannot be opened in a missing directory", func() {
		_, err := sqlite.Open(filepath.Join(GinkgoT().TempDir(), "no", "such.db"), sqlite.Writer)
		Expect(err).To(MatchError(ContainSubstring("open SQLite database")))
		Expect(sqlite.Environmental(err)).To(BeTrue())
	})

	It("refuses to change data as a reader", func() {
		reader := open(path, sqlite.Reader)
		for _, sql := range []string{"INSERT INTO t VALUES (9, 9)", "CREATE TABLE u (v)", "/* x */ VACUUM INTO 'x'"} {
			_, err := ask(reader, sql)
			Expect(err).To(MatchError(sqlite.ErrRefused), sql)
		}
		Expect(ask(reader, "SELECT count(*) FROM t")).To(Equal([][]any{{int64(1)}}))
	})

	It("interrupts a statement when its context ends", func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_, _, err := c.Query(ctx, runaway, nil)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(ask(c, "SELECT 1")).To(HaveLen(1))
	})
})

var _ = DescribeTable("Errors of the environment are separated from those of statements",
	func(err error, environmental bool) {
		Expect(sqlite.Environmental(err)).To(Equal(environmental))
		Expect(sqlite.Environmental(fmt.Errorf("wrapped: %w", err))).To(Equal(environmental))
	},
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrFull}, true),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrIoErr}, true),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrNomem}, true),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrCorrupt}, true),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrBusy}, true),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrConstraint}, false),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrTooBig}, false),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrInterrupt}, false),
	Entry(nil, sqlite3.Error{Code: sqlite3.ErrAuth}, false),
	Entry(nil, sqlite.ErrRefused, false),
	Entry(nil, sqlite.ErrBudget, false),
	Entry(nil, errors.New("any"), false),
)

var _ = DescribeTable("Parameters must have a supported type",
	func(param any, problem string) {
		err := sqlite.CheckParams([]any{nil, param})
		if problem == "" {
			Expect(err).NotTo(HaveOccurred())
			return
		}
		Expect(err).To(MatchError("parameter 2 is a " + problem + "; SQLite stores nil, int64, float64, string and []byte"))
	},
	Entry(nil, nil, ""), Entry(nil, int64(1), ""), Entry(nil, 1.5, ""), Entry(nil, "x", ""), Entry(nil, []byte{}, ""),
	Entry(nil, 1, "int"), Entry(nil, true, "bool"), Entry(nil, &time.Time{}, "time.Time"),
)
