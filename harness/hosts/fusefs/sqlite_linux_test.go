package fusefs_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts/fusefs"
)

// insertVariable makes this program insert rows into the database whose DSN the variable is, each in a transaction, until it
// fails. It writes the number of each row that was acknowledged.
const insertVariable = "REJOIN_TEST_INSERT"

func insert(dsn string) error {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v BLOB)"); err != nil {
		return err
	}
	for {
		// The row's size varies, so that transactions change one page or several.
		row, err := db.Exec("INSERT INTO t (v) VALUES (randomblob(1 + abs(random() % 9000)))")
		if err != nil {
			return err
		}
		id, err := row.LastInsertId()
		if err != nil {
			return err
		}
		fmt.Println(id)
	}
}

// insertUntil starts insert, lets it acknowledge some rows, and crashes the disk. It returns the last acknowledged row.
func (m *mounted) insertUntil(ctx context.Context, dsn string, rows int) int64 {
	GinkgoHelper()
	program := exec.CommandContext(ctx, must(os.Executable()))
	program.Env = append(os.Environ(), insertVariable+"="+dsn)
	var failed bytes.Buffer
	program.Stderr = &failed
	said := must(program.StdoutPipe())
	Expect(program.Start()).To(Succeed())
	var last int64
	lines := bufio.NewReader(said)
	for i := 0; ; i++ {
		if i == rows {
			Expect(m.Crash()).To(Succeed())
		}
		_, err := fmt.Fscanln(lines, &last)
		if err == io.EOF {
			break
		}
		Expect(err).NotTo(HaveOccurred())
	}
	Expect(program.Wait()).NotTo(Succeed())
	// SQLite reports a failed read as a malformed database.
	Expect(failed.String()).To(Or(ContainSubstring("I/O error"), ContainSubstring("input/output error"), ContainSubstring("malformed")))
	return last
}

// countVariable makes this program write the number of rows of the database whose DSN the variable is, and what is wrong with it.
const countVariable = "REJOIN_TEST_COUNT"

func count(dsn string) error {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return err
	}
	var rows int64
	var wrong string
	err = db.QueryRow("PRAGMA integrity_check").Scan(&wrong)
	if err == nil {
		err = db.QueryRow("SELECT coalesce(max(id), 0) FROM t").Scan(&rows)
	}
	if err != nil {
		wrong = err.Error()
	}
	fmt.Println(rows, wrong)
	return db.Close()
}

// counted returns the number of rows, and what is wrong with the database. Another process reads it: SQLite maps a file, which the
// process that serves it must not do.
func counted(ctx context.Context, dsn string) (rows int64, wrong string) {
	GinkgoHelper()
	program := exec.CommandContext(ctx, must(os.Executable()))
	program.Env = append(os.Environ(), countVariable+"="+dsn)
	said := string(must(program.Output()))
	number, wrong, both := strings.Cut(strings.TrimSpace(said), " ")
	Expect(both).To(BeTrue(), said)
	return must(strconv.ParseInt(number, 10, 64)), wrong
}

var _ = Describe("SQLite on a disk that crashes", func() {
	dsn := func(m *mounted, journal, synchronous string) string {
		return fmt.Sprintf("file:%s?_journal_mode=%s&_synchronous=%s&_busy_timeout=10000", m.path("db"), journal, synchronous)
	}

	DescribeTable("loses no transaction that was acknowledged",
		func(ctx SpecContext, journal, synchronous string, mayLose int64) {
			m := fresh(fusefs.Options{})
			random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
			dsn := dsn(m, journal, synchronous)
			var total int64
			for range 13 {
				acknowledged := m.insertUntil(ctx, dsn, random.IntN(30))
				m.crash(ctx)
				rows, wrong := counted(ctx, dsn)
				if acknowledged > 0 {
					Expect(wrong).To(Equal("ok"))
				}
				Expect(rows).To(BeNumerically(">=", acknowledged-mayLose))
				total = rows
			}
			Expect(total).To(BeNumerically(">", 0))
		},
		Entry("with a write-ahead log, synchronous=FULL", "WAL", "FULL", int64(0), SpecTimeout(2*time.Minute)),
		Entry("with a truncated journal, synchronous=FULL", "TRUNCATE", "FULL", int64(0), SpecTimeout(2*time.Minute)),
		Entry("with a persistent journal, synchronous=FULL", "PERSIST", "FULL", int64(0), SpecTimeout(2*time.Minute)),
		Entry("with a removed journal, synchronous=EXTRA", "DELETE", "EXTRA", int64(0), SpecTimeout(2*time.Minute)),
		// SQLite documents that only EXTRA syncs the directory after the removal that commits.
		Entry("with a removed journal, synchronous=FULL, but perhaps the last", "DELETE", "FULL", int64(1), SpecTimeout(2*time.Minute)),
	)

	It("loses what it acknowledged with synchronous=OFF", func(ctx SpecContext) {
		m := fresh(fusefs.Options{})
		dsn := dsn(m, "WAL", "OFF")
		acknowledged := m.insertUntil(ctx, dsn, 20)
		m.crash(ctx)
		rows, _ := counted(ctx, dsn)
		Expect(acknowledged).To(BeNumerically(">=", 20))
		Expect(rows).To(BeNumerically("<", acknowledged))
	}, SpecTimeout(time.Minute))

	It("loses what it acknowledged in the last transaction with a removed journal and synchronous=FULL", func(ctx SpecContext) {
		m := fresh(fusefs.Options{})
		dsn := dsn(m, "DELETE", "FULL")
		db := must(sql.Open("sqlite3", dsn))
		must(db.ExecContext(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)"))
		must(db.ExecContext(ctx, "INSERT INTO t VALUES (1, 'x')"))
		Expect(db.Close()).To(Succeed())
		m.crash(ctx)
		rows, wrong := counted(ctx, dsn)
		Expect(wrong).To(Equal("ok"))
		Expect(rows).To(BeZero())
	}, SpecTimeout(time.Minute))
})
