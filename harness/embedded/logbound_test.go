package embedded

import (
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("The log of large entries", func() {
	const row, rows = 128 << 10, 40 // bytes in a row, and number of rows
	bounds := logBounds{snapshot: 2 << 20, trailing: 1 << 20}

	write := func(n *Node) {
		GinkgoHelper()
		blob := base64.StdEncoding.EncodeToString(make([]byte, row))
		body := fmt.Sprintf(`{"sql":"REPLACE INTO t VALUES (1, ?)","params":[{"base64":%q}]}`, blob)
		Expect(post(n, []byte(body)).Code).To(Equal(http.StatusOK))
	}
	logBytes := func(config Config) (bytes int64) {
		GinkgoHelper()
		Expect(filepath.WalkDir(filepath.Join(config.Dir, "log"), func(_ string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				bytes += info.Size()
			}
			return nil // a file may have been deleted meanwhile
		})).To(Succeed())
		return bytes
	}

	It("is bounded in bytes, regardless of the number of entries, and after a restart", func(ctx SpecContext) {
		memory := network.Memory(1)
		DeferCleanup(memory.Close)
		host, err := memory.Host("n0")
		Expect(err).NotTo(HaveOccurred())
		config := Config{ID: "n0", Dir: GinkgoT().TempDir(), Endpoint: host, Peers: []Peer{{ID: "n0", Address: host.Addr()}}, bounds: bounds}
		var taken uint64
		for life := range 2 {
			n, err := Start(config)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(n.Close)
			Eventually(ctx, n.Health).Should(HaveField("State", Online))
			Expect(post(n, []byte(`{"sql":"CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v)"}`)).Code).To(Equal(http.StatusOK))
			for range rows {
				write(n)
			}
			Eventually(ctx, n.Health).Should(And(HaveField("SnapshotIndex", BeNumerically(">", taken+rows/2)),
				HaveField("LogEntries", BeNumerically("<=", (bounds.snapshot+bounds.trailing)/row+10))), "life %d", life)
			Eventually(ctx, func() int64 { return logBytes(config) }).Should(BeNumerically("<", bounds.snapshot+bounds.trailing+16<<20))
			taken = n.Health().SnapshotIndex
			stopping, cancel := context.WithCancel(ctx)
			Expect(n.Stop(stopping)).To(Succeed())
			cancel()
		}
	})
})
