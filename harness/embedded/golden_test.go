package embedded_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/network"
)

// goldenFolder holds, for each released version, an archive with the data directories of three nodes, which its own nodes
// wrote:
//
//	REJOIN_WRITE_GOLDEN=1 go test ./harness/embedded -ginkgo.focus='golden data'
//
// writes those of this version, in place of what is there.
const goldenFolder = "../../fixtures/data"

// goldenRows is what the golden data holds: enough for a snapshot and entries after it.
const goldenRows = 80

func planGolden(dir string) *cluster {
	GinkgoHelper()
	// Addresses in memory are names, which are the same in each run: the log has those of the members.
	return planIn(dir, network.Memory(1), 3, func(c *embedded.Config) {
		c.SnapshotThreshold, c.SnapshotInterval, c.TrailingLogs = 32, 20*time.Millisecond, 8
	})
}

var _ = Describe("The golden data", func() {
	versions := func() []string {
		entries, err := os.ReadDir(goldenFolder)
		Expect(err).NotTo(HaveOccurred())
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}

	It("is there for this version", func(ctx SpecContext) {
		if os.Getenv("REJOIN_WRITE_GOLDEN") != "" {
			writeGolden(ctx, filepath.Join(goldenFolder, embedded.Version))
		}
		Expect(versions()).To(ContainElement(embedded.Version))
	}, SpecTimeout(time.Minute))

	It("of every released version has its rows, its index and its members, and takes writes", func(ctx SpecContext) {
		Expect(versions()).NotTo(BeEmpty())
		for _, version := range versions() {
			By("starting nodes of version " + embedded.Version + " on data of version " + version)
			dir := GinkgoT().TempDir()
			c := planGolden(dir)
			for _, config := range c.configs {
				Expect(os.Remove(config.Dir)).To(Succeed())
			}
			unpack(filepath.Join(goldenFolder, version, archive), dir)
			c.startAll()
			c.leader(ctx)
			for i, node := range c.nodes {
				health := node.Health()
				Expect(health.Peers).To(HaveLen(3))
				Expect(health.SnapshotIndex).To(BeNumerically(">", 0), "it has forgotten its snapshot")
				Expect(health.AppliedIndex).To(BeNumerically(">", health.SnapshotIndex), "it has forgotten its log")
				said := c.session(i).ok(ctx, "local", "SELECT count(*), sum(length(v)) FROM shop.golden; "+
					"SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE '%by_v'; SELECT hex(v) FROM shop.golden WHERE id = 7")
				Expect(said.Results).To(HaveLen(3), said.Text)
				Expect(said.Results[0].Rows).To(Equal([][]any{{float64(goldenRows), float64(3 * goldenRows)}}))
				Expect(said.Results[1].Rows).To(HaveLen(1), "the index is gone")
				Expect(said.Results[2].Rows).To(Equal([][]any{{"0007FF"}}))
			}
			c.session(0).ok(ctx, "", "INSERT INTO shop.golden VALUES (?, x'010203')", goldenRows+1)
			c.session(1, goldenKey(goldenRows-1)).ok(ctx, "", goldenInsert, goldenRows-1, goldenRows-1) // applied before, by its key
			c.converge(ctx)
			Expect(c.close()).To(Succeed())
			c.nodes = make([]*embedded.Node, len(c.nodes))
		}
	}, SpecTimeout(2*time.Minute))
})

const goldenInsert = "INSERT INTO shop.golden VALUES (?, CAST(x'00' || unhex(printf('%02X', ?)) || x'ff' AS BLOB))"

// goldenKey is the idempotency key of a request that wrote golden data.
func goldenKey(number int) header {
	return header{embedded.HeaderRequest, fmt.Sprintf("golden-%d", number)}
}

// writeGolden writes the data directories of three nodes.
func writeGolden(ctx context.Context, to string) {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	c := planGolden(dir)
	c.startAll()
	write := func(key int, sql string, params ...any) {
		c.session(0, goldenKey(key)).ok(ctx, "", sql, params...)
	}
	write(goldenRows, "CREATE NAMESPACE shop; CREATE TABLE shop.golden (id INTEGER PRIMARY KEY, v BLOB); CREATE INDEX shop.by_v ON golden (v)")
	for i := range goldenRows {
		write(i, goldenInsert, i, i)
	}
	c.converge(ctx)
	for _, node := range c.nodes {
		Eventually(ctx, func() uint64 { return node.Health().SnapshotIndex }).Should(BeNumerically(">", 0))
	}
	write(goldenRows+1, "UPDATE shop.golden SET v = v WHERE id = 1") // an entry after the snapshot
	c.converge(ctx)
	for i := range c.nodes {
		Expect(c.nodes[i].Close()).To(Succeed())
		c.nodes[i] = nil
	}
	for _, config := range c.configs {
		// The working copy is made again from snapshot and log.
		Expect(os.RemoveAll(filepath.Join(config.Dir, "state"))).To(Succeed())
	}
	Expect(os.MkdirAll(to, 0o750)).To(Succeed())
	pack(dir, filepath.Join(to, archive))
}

// archive is the name of an archive: segments of the log are mostly zeros.
const archive = "nodes.tar.gz"

func pack(dir, path string) {
	GinkgoHelper()
	file := must(os.Create(path))
	compressed := gzip.NewWriter(file)
	all := tar.NewWriter(compressed)
	Expect(all.AddFS(os.DirFS(dir))).To(Succeed())
	Expect(all.Close()).To(Succeed())
	Expect(compressed.Close()).To(Succeed())
	Expect(file.Close()).To(Succeed())
}

// unpack writes the files of an archive, readable by the owner only, as nodes have them.
func unpack(path, dir string) {
	GinkgoHelper()
	file := must(os.Open(path))
	defer file.Close()
	all := tar.NewReader(must(gzip.NewReader(file)))
	for {
		header, err := all.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		Expect(err).NotTo(HaveOccurred())
		to := filepath.Join(dir, filepath.FromSlash(header.Name))
		Expect(filepath.IsLocal(header.Name)).To(BeTrue(), header.Name)
		if header.FileInfo().IsDir() {
			Expect(os.MkdirAll(to, 0o700)).To(Succeed())
			continue
		}
		Expect(os.MkdirAll(filepath.Dir(to), 0o700)).To(Succeed())
		Expect(os.WriteFile(to, must(io.ReadAll(all)), 0o600)).To(Succeed())
	}
}
