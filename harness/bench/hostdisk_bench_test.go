//go:build bench

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

var _ = Describe("the disk of a host", Label("bench"), func() {
	It("writes, syncs and reads, against a plain directory", long, func(ctx SpecContext) {
		n, err := hosts.New(hosts.Options{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(n.Close)
		h, err := n.Host(ctx, "a")
		Expect(err).NotTo(HaveOccurred())
		if err := h.SetDisk(ctx, fault.Disk{}); errors.Is(err, hosts.ErrNoDisk) {
			Skip(err.Error())
		}
		e := gmeasure.NewExperiment("disk of a host")
		AddReportEntry(e.Name, e)
		places := map[string]string{"the disk of a host": h.Dir(), "a plain directory": GinkgoT().TempDir()}
		const syncs, size = 500, 256 // writes of 4 KiB; MiB
		for range 5 {
			for name, dir := range places {
				took := dd(ctx, h, dir, "if=/dev/zero of=log bs=4096 oflag=dsync count=%d", syncs)
				e.RecordDuration("4 KiB appended and synced on "+name, took/syncs)
				took = dd(ctx, h, dir, "if=/dev/zero of=log bs=4096 oflag=dsync conv=notrunc count=%d", syncs)
				e.RecordDuration("4 KiB overwritten and synced on "+name, took/syncs)
				took = dd(ctx, h, dir, "if=/dev/zero of=large bs=1M conv=fsync count=%d", size)
				e.RecordValue("written to "+name, size/took.Seconds())
				took = dd(ctx, h, dir, "if=large of=/dev/null bs=1M count=%d", size)
				e.RecordValue("read from "+name, size/took.Seconds())
			}
		}
		for _, name := range []string{"a plain directory", "the disk of a host"} {
			record(e, "4 KiB appended and synced on "+name, "none", "ms")
			record(e, "4 KiB overwritten and synced on "+name, "none", "ms")
			record(e, "written to "+name, "none", "MiB/s")
			record(e, "read from "+name, "none", "MiB/s")
		}
	})
})

// dd runs dd in a directory on the host, and returns how long it took, with the start of the program.
func dd(ctx context.Context, h *hosts.Host, dir, arguments string, count int) time.Duration {
	GinkgoHelper()
	var out bytes.Buffer
	begun := time.Now()
	p, err := h.Start(ctx, hosts.Command{
		Path: "sh", Args: []string{"-c", "exec dd status=none " + fmt.Sprintf(arguments, count)}, Dir: dir, Output: &out,
	})
	Expect(err).NotTo(HaveOccurred())
	exit, err := p.Wait(ctx)
	took := time.Since(begun)
	Expect(err).NotTo(HaveOccurred())
	Expect(exit).To(Equal(hosts.Exit{}), out.String())
	return took
}
