package machine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = Describe("A database with a flipped bit", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{})
		n.must("CREATE TABLE small (v); INSERT INTO small VALUES ('some'); CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE late (v)")
	})

	// many writes more pages than a connection caches.
	many := func() { n.must(fill + "; UPDATE t SET v = v || hex(zeroblob(200))") }

	// damage flips the bit and drops cached pages.
	damage := func() (file string) {
		GinkgoHelper()
		file, err := machine.Damage(n.dir)
		Expect(err).NotTo(HaveOccurred())
		n.do("INSERT INTO late VALUES (1)") // fails already if it triggers a checkpoint
		return file
	}

	// expectFailed expects a permanent failure of the machine, caused by a page of file.
	expectFailed := func(file string) {
		GinkgoHelper()
		failed := n.Failed()
		Expect(failed).To(MatchError(And(HavePrefix("this node's database has failed and must be replaced: "),
			MatchRegexp(file+`: page \d+ is damaged`))))
		var damaged *sqlite.DamagedError
		Expect(errors.As(failed, &damaged)).To(BeTrue())
		Expect(n.do("SELECT 1").Err).To(Equal(failed))
		_, err := n.View(context.Background())
		Expect(err).To(Equal(failed))
	}

	view := func() *machine.View {
		GinkgoHelper()
		v, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(v.Close)
		return v
	}

	It("fails the machine when a read reaches it, after the rows before it", func() {
		want := n.read("SELECT * FROM small")
		many()
		n.read("SELECT * FROM t")
		file := damage()
		Expect(filepath.Dir(file)).To(Equal(n.dir))
		Expect(n.read("SELECT * FROM small")).To(Equal(want), "an undamaged page")
		Expect(n.Failed()).NotTo(HaveOccurred())

		rows, _, err := view().Query(context.Background(), sqltext.Statement{Text: "SELECT v FROM small UNION ALL SELECT v FROM t"}, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.Next()).To(Equal([]any{"some"}))
		_, err = rows.Next()
		Expect(err).To(MatchError(n.Failed()))
		Expect(rows.Close()).To(Succeed())
		expectFailed(file)
	})

	DescribeTable("is detected in the file that holds the page", func(prepare func(), suffix string) {
		n.must("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
		prepare()
		file := damage()
		Expect(file).To(HaveSuffix(suffix))
		waiting := make(chan error, 1)
		go func() { waiting <- n.WaitApplied(context.Background(), 1000) }()
		v, err := n.View(context.Background())
		if err == nil {
			DeferCleanup(v.Close)
			_, err = ask(v, "SELECT * FROM small UNION ALL SELECT v FROM t")
		}
		Expect(err).To(MatchError(n.Failed()))
		expectFailed(file)
		Eventually(waiting).Should(Receive(Equal(n.Failed())))
	},
		Entry("in the WAL, if only the WAL has the page", func() {}, "/state.db-wal"),
		Entry("in the WAL, if both files have the page", func() { many(); n.must("UPDATE t SET v = 'new' WHERE id < 100") }, "/state.db-wal"),
		Entry("in the database file after a checkpoint", func() { many() }, "/state.db"),
		Entry("after a restart from a snapshot", func() {
			many()
			snapshot := n.snapshot()
			n = open(machine.Options{})
			n.restore(snapshot)
		}, "/state.db-wal"),
	)

	It("fails the machine when an entry reaches it, and the entry gets the failure as its response", func() {
		many()
		file, err := machine.Damage(n.dir)
		Expect(err).NotTo(HaveOccurred())
		n.must("SELECT count(v) FROM t WHERE id > 100")
		response := n.do("UPDATE t SET v = 1 WHERE id = 1")
		Expect(response.Err).To(Equal(n.Failed()))
		Expect(response.Err).To(MatchError(ContainSubstring("apply log index 4: ")))
		expectFailed(file)
	})

	It("does not get into a snapshot", func() {
		many()
		file := damage()
		taken, err := n.Snapshot()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Release)
		out := &sink{}
		Expect(taken.Persist(out)).To(MatchError(n.Failed()))
		Expect(out.ended).To(Equal("cancelled"))
		expectFailed(file)
		Expect(files(n.dir)).To(ConsistOf("state.db", "state.db-shm", "state.db-wal"))
	})

	It("does not get into a digest", func() {
		many()
		file := damage()
		_, _, err := n.Digest(context.Background())
		Expect(err).To(MatchError(n.Failed()))
		expectFailed(file)
	})

	It("is found in a snapshot that is restored", func() {
		many()
		snapshot := n.snapshot()
		snapshot[len(snapshot)/2] ^= 4
		other := open(machine.Options{})
		err := other.Restore(io.NopCloser(bytes.NewReader(snapshot)))
		Expect(err).To(MatchError(MatchRegexp(`restore snapshot: .*/restore-\d+\.db: page \d+ is damaged`)))
		Expect(err).To(Equal(other.Failed()))
	})

	It("is always made at the same place, so that making it twice undoes it", func() {
		many()
		want := n.digest()
		file := filepath.Join(n.dir, "state.db")
		before, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(machine.Damage(n.dir)).To(Equal(file))
		after, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		different := 0
		for i := range before {
			if before[i] != after[i] {
				different++
			}
		}
		Expect(different).To(Equal(1))
		Expect(machine.Damage(n.dir)).To(Equal(file))
		Expect(os.ReadFile(file)).To(Equal(before))
		Expect(n.digest()).To(Equal(want))
	})

	It("cannot be made in a database without rows", func() {
		empty := open(machine.Options{})
		empty.entry(machine.Entry{ID: "known", SQL: "CREATE NAMESPACE a; CREATE TABLE a.t (v)", Time: noon})
		_, err := machine.Damage(empty.dir)
		Expect(err).To(MatchError(ContainSubstring("state.db: no table has a row")))
		_, err = machine.Damage(GinkgoT().TempDir())
		Expect(err).To(MatchError(os.ErrNotExist))
		Expect(empty.digest()).To(HavePrefix("1 "))
	})
})

var _ = Describe("A truncated database", func() {
	It("fails the machine when a read reaches the missing part", func() {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE late (v)")
		n.must(fill + "; UPDATE t SET v = v || hex(zeroblob(200))")
		n.must("INSERT INTO late VALUES (1)")
		file := filepath.Join(n.dir, "state.db")
		Expect(os.Truncate(file, 4096*100)).To(Succeed())
		v, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(v.Close)
		_, err = ask(v, "SELECT * FROM t")
		Expect(err).To(MatchError(n.Failed()))
		Expect(n.Failed()).To(MatchError(ContainSubstring(file + ": database disk image is malformed")))
	})
})

var _ = Describe("A read with an error of its own", func() {
	It("does not fail the machine", func() {
		n := open(machine.Options{})
		v, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(v.Close)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		for _, sql := range []string{"SELECT * FROM nowhere", "SELECT zeroblob(100000000)", "PRAGMA integrity_check", "SELECT json('{')",
			"SELECT abs(-9223372036854775808)"} {
			_, err := ask(v, sql)
			Expect(err).To(HaveOccurred(), sql)
		}
		_, err = askUntil(ended, v, runaway)
		Expect(err).To(MatchError(context.Canceled))
		Expect(n.Failed()).NotTo(HaveOccurred())
		n.must("SELECT 1")
	})
})
