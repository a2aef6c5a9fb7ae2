package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// everything returns all rows that a new connection reads from a database.
func everything(path string) ([][]any, error) { return everythingIn(path, sqlite.Reader) }

func everythingIn(path string, mode sqlite.Mode) (rows [][]any, err error) {
	c, err := sqlite.Open(path, mode)
	if err != nil {
		return nil, err
	}
	defer func() { Expect(c.Close()).To(Succeed()) }()
	for _, query := range []string{
		"SELECT type, name, sql FROM sqlite_schema",
		"SELECT * FROM t NOT INDEXED",
		"SELECT count(*), max(name), hex(min(name)) FROM t INDEXED BY by_name WHERE name > ''",
		"SELECT * FROM pairs",
	} {
		part, err := ask(c, query)
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
	return rows, nil
}

// flip flips bits of one byte of a file. A second call restores it.
func flip(path string, at int64, bits byte) {
	GinkgoHelper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(file.Close()).To(Succeed()) }()
	var b [1]byte
	_, err = file.ReadAt(b[:], at)
	Expect(err).NotTo(HaveOccurred())
	b[0] ^= bits
	_, err = file.WriteAt(b[:], at)
	Expect(err).NotTo(HaveOccurred())
}

func size(path string) int64 {
	GinkgoHelper()
	info, err := os.Stat(path)
	Expect(err).NotTo(HaveOccurred())
	return info.Size()
}

const (
	schema = `CREATE TABLE t (id INTEGER PRIMARY KEY, name, long); CREATE INDEX by_name ON t (name);
		CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID`
	some = `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r LIMIT 150) INSERT INTO t (name, long)
		SELECT 'name of ' || n, CASE n % 50 WHEN 7 THEN zeroblob(6000) ELSE n * 1.5 END FROM r;
		INSERT INTO pairs SELECT name, id FROM t WHERE id % 2`
	checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
)

var _ = Describe("A page", func() {
	var path, log string
	var c *sqlite.Conn
	BeforeEach(func() {
		path = newFile()
		log = path + "-wal"
		c = open(path, sqlite.Writer)
		Expect(c.Trusted(schema + ";" + some)).To(Succeed())
	})

	It("with any byte flipped is an error when it is read, and never a wrong row", func() {
		By("pages in the database, some with a newer version in the log")
		Expect(c.Trusted(checkpoint)).To(Succeed())
		Expect(c.Trusted("UPDATE t SET name = 'new ' || id WHERE id < 40; UPDATE t SET long = zeroblob(7000) WHERE id = 57")).To(Succeed())
		want, err := everything(path)
		Expect(err).NotTo(HaveOccurred())

		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		met := map[string]int{}
		try := func(file string, at int64) {
			bits := byte(1 + random.IntN(255))
			flip(file, at, bits)
			rows, err := everything(path)
			flip(file, at, bits)
			if err != nil {
				Expect(err).To(MatchError(ContainSubstring(file+": page ")), "%s at %d", file, at)
				Expect(sqlite.Damaged(err)).To(BeTrue())
				Expect(sqlite.Environmental(err)).To(BeTrue())
				met[file]++
				return
			}
			Expect(rows).To(Equal(want), "%s at %d, bits %#x", file, at, bits)
		}
		for _, file := range []string{path, log} {
			end := size(file)
			for at := range min(end, 120) {
				try(file, at)
			}
			for page := int64(0); page < end; page += 4096 {
				for _, at := range []int64{0, 1, 5, 7, 8, 4087, 4088, 4095} {
					try(file, min(page+at, end-1))
				}
			}
			for range 1000 {
				try(file, random.Int64N(end))
			}
		}
		Expect(met[path]).To(BeNumerically(">", 100))
		Expect(met[log]).To(BeNumerically(">", 100))
		Expect(everything(path)).To(Equal(want))
	})

	It("damaged in the log is not copied to the database, and the change that starts the checkpoint fails", func() {
		Expect(c.Trusted(checkpoint)).To(Succeed())
		Expect(c.Trusted("UPDATE t SET name = 'x' WHERE id = 1")).To(Succeed())
		before, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		file, err := sqlite.Damage(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(file).To(Equal(log))
		// SQLite checkpoints when the log has 1000 pages, and ignores errors of the checkpoint.
		met := c.Trusted("CREATE TABLE big (v); INSERT INTO big VALUES (zeroblob(5000000))")
		Expect(met).To(MatchError(MatchRegexp(`-wal: page \d+ is damaged`)))
		Expect(sqlite.Environmental(met)).To(BeTrue())
		after, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		damaged, _ := errors.AsType[*sqlite.DamagedError](met)
		page := func(content []byte) []byte { return content[(damaged.Page-1)*4096 : damaged.Page*4096] }
		Expect(page(after)).To(Equal(page(before)))
	})

	It("that is damaged is not copied by Copy", func() {
		Expect(c.Trusted(checkpoint)).To(Succeed())
		file, err := sqlite.Damage(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(file).To(Equal(path))
		to := open(newFile(), sqlite.Plain)
		err = to.Copy(context.Background(), open(path, sqlite.Reader))
		Expect(err).To(MatchError(MatchRegexp(`^copy SQLite database: .*a \?%#&\.db: page \d+ is damaged`)))
		Expect(sqlite.Damaged(err)).To(BeTrue())
	})

	It("has a checksum in a copy too", func() {
		copied := newFile()
		to := open(copied, sqlite.Plain)
		Expect(to.Copy(context.Background(), c)).To(Succeed())
		Expect(to.Close()).To(Succeed())
		want, err := everything(path)
		Expect(err).NotTo(HaveOccurred())
		Expect(everything(copied)).To(Equal(want))
		flip(copied, size(copied)/2, 1)
		_, err = everything(copied)
		Expect(err).To(MatchError(ContainSubstring(copied + ": page ")))
	})

	It("that is being written is not reported as damaged when the database is opened concurrently", func() {
		opening, stop := context.WithCancel(context.Background())
		written := make(chan error, 1)
		go func() {
			defer close(written)
			for opening.Err() == nil {
				// This changes the first page, and the rows read below.
				if err := c.Trusted("CREATE TABLE more (v); UPDATE t SET name = 'x' || random(); DROP TABLE more; PRAGMA wal_checkpoint"); err != nil {
					written <- err
				}
			}
		}()
		DeferCleanup(func() {
			stop()
			Expect(<-written).NotTo(HaveOccurred())
		})
		for range 2000 {
			reader, err := sqlite.Open(path, sqlite.Reader)
			Expect(err).NotTo(HaveOccurred())
			Expect(reader.Lookup("SELECT count(long) FROM t NOT INDEXED WHERE name > ''")).To(Equal(int64(150)))
			Expect(reader.Close()).To(Succeed())
		}
	})

	It("that was never needed consists of zeros, and can be used later", func() {
		file := newFile()
		plain := open(file, sqlite.Plain)
		Expect(plain.Trusted(schema + `; BEGIN; CREATE TABLE gone (v); INSERT INTO gone VALUES (zeroblob(1000000));` + some +
			`; DROP TABLE gone; COMMIT`)).To(Succeed())
		hole := make([]byte, 4096)
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(content)).To(ContainSubstring(string(hole)))
		Expect(plain.Trusted("INSERT INTO t (long) VALUES (zeroblob(900000))")).To(Succeed())
		Expect(plain.Close()).To(Succeed())
		Expect(ask(open(file, sqlite.Reader), "SELECT sum(length(long)) FROM t WHERE typeof(long) = 'blob'")).To(Equal([][]any{{int64(918000)}}))
	})

	It("without a checksum is rejected, and so is a database that starts with it", func() {
		other := newFile()
		db, err := sql.Open("sqlite3", strings.NewReplacer("?", "%3f", "#", "%23", "%", "%25").Replace("file:"+other))
		Expect(err).NotTo(HaveOccurred())
		_, err = db.Exec("CREATE TABLE t (v)")
		Expect(err).NotTo(HaveOccurred())
		Expect(db.Close()).To(Succeed())
		before, err := os.ReadFile(other)
		Expect(err).NotTo(HaveOccurred())
		for _, mode := range []sqlite.Mode{sqlite.Writer, sqlite.Plain, sqlite.Reader} {
			_, err := everythingIn(other, mode)
			Expect(err).To(MatchError(ContainSubstring(other+": page 1 is damaged")), "mode %d", mode)
		}
		Expect(os.ReadFile(other)).To(Equal(before))
	})

	It("in a log whose index is lost is not ignored", func() {
		dir := GinkgoT().TempDir()
		for _, file := range []string{path, log} {
			content, err := os.ReadFile(file)
			Expect(err).NotTo(HaveOccurred())
			Expect(os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o600)).To(Succeed())
		}
		for _, mode := range []sqlite.Mode{sqlite.Reader, sqlite.Writer} {
			_, err := everythingIn(filepath.Join(dir, filepath.Base(path)), mode)
			Expect(err).To(MatchError(ContainSubstring("-wal: its index is damaged or lost")))
			Expect(sqlite.Damaged(err)).To(BeTrue())
		}
	})

	It("that is damaged is reported to OnDamage, which returns the error", func() {
		reader := open(path, sqlite.Reader)
		var told []error
		reader.OnDamage(func(err error) error {
			told = append(told, err)
			return fmt.Errorf("known: %w", err)
		})
		Expect(ask(reader, "SELECT count(*) FROM nowhere")).Error().To(HaveOccurred())
		Expect(ask(reader, "SELECT v FROM t")).Error().To(HaveOccurred())
		Expect(told).To(BeEmpty())
		Expect(sqlite.Damage(path)).Error().NotTo(HaveOccurred())
		Expect(ask(reader, "SELECT * FROM t")).Error().To(MatchError(MatchRegexp(`^known: .*page \d+ is damaged`)))
		Expect(told).To(HaveLen(1))
	})
})
