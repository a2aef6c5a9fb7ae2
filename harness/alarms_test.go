package harness_test

import (
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// wordy is a cluster with alarms of its own.
type wordy struct{ target.Cluster }

func (w wordy) Unwrap() target.Cluster { return w.Cluster }
func (w wordy) Alarms() target.Alarms {
	return target.Alarms{Words: []string{"PANIC:"}, Storage: []string{"disk gone"}, Expected: []string{"by order"}}
}

var _ = Describe("The logs of nodes", func() {
	said := func(f *fake.Cluster, node int, text string) {
		f.OnLog = func(of int) string {
			if of == node {
				return text
			}
			return "INFO: ready\n"
		}
	}

	It("fail the cluster with each line that tells of a bug, however old", func() {
		c, f := boot()
		Expect(c.VerifyLogs()).To(Succeed())
		said(f, 1, "panic: runtime error: index out of range [3]\n"+strings.Repeat("INFO: started again\n", 100_000)+"fatal error: all is lost\n")
		err := c.VerifyLogs()
		Expect(err).To(MatchError(`the logs of the nodes have 2 lines that tell of a bug:
node 1 (n1) said: panic: runtime error: index out of range [3]
node 1 (n1) said: fatal error: all is lost`))
		var alarms *harness.AlarmError
		Expect(errors.As(err, &alarms)).To(BeTrue())
		Expect(alarms.Alarms).To(HaveLen(2))
		Expect(c.Journal().Events()).To(ContainElement(And(
			HaveField("Kind", journal.Note), HaveField("Node", 1), HaveField("Text", "alarm: fatal error: all is lost"))))
	})

	It("do not fail it for an expected line", func() {
		c, f := boot()
		said(f, 0, "panic: it was told to\n")
		Expect(c.VerifyLogs("told to")).To(Succeed())
		Expect(c.VerifyLogs("told nothing")).NotTo(Succeed())
	})

	It("are searched for the words of the target, which expects some where a disk fails", func(ctx SpecContext) {
		var f *fake.Cluster
		t := target.Decorate(&fake.Target{Prepare: func(made *fake.Cluster) { f = made }},
			func(c target.Cluster) (target.Cluster, error) { return wordy{c}, nil })
		c, err := harness.Boot(ctx, t, harness.Size(3))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		said(f, 2, "panic: of another language\nPANIC: by order\n")
		Expect(c.VerifyLogs()).To(Succeed())
		said(f, 2, "FATAL: disk gone\n")
		Expect(c.VerifyLogs()).To(MatchError(ContainSubstring("node 2 (n2) said: FATAL: disk gone")))
		Expect(c.SetDisk(ctx, 0, fault.Disk{Full: true})).To(Succeed())
		Expect(c.VerifyLogs()).To(Succeed())
		said(f, 2, "FATAL: disk gone\nPANIC: and more\n")
		Expect(c.VerifyLogs()).To(MatchError(And(ContainSubstring("and more"), Not(ContainSubstring("disk gone")))))
	}, patience)

	It("must be readable, where the target keeps logs", func() {
		c, f := boot()
		failing(f, "log 1", errors.New("gone"))
		Expect(c.VerifyLogs()).To(MatchError("read the log of node 1 (n1): gone"))
		plain, _ := bootOf(&fake.Target{Plain: true})
		Expect(plain.VerifyLogs()).To(Succeed())
		Expect(plain.Close()).To(Succeed())
		Expect(plain.VerifyLogs()).To(MatchError(harness.ErrClosed))
	})
})
