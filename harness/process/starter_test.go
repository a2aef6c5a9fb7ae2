package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Crash", func() {
	It("kills the leader under load; the others continue, and it comes back with all acknowledged writes", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		leader := c.leader(ctx)
		pid, address := c.target.Pid(leader), c.status(ctx, leader).Address

		var acknowledged, tries atomic.Int64
		enough, stop := make(chan struct{}), make(chan struct{})
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				defer GinkgoRecover()
				for {
					select {
					case <-stop:
						return
					default:
					}
					n := c.but(leader)[int(tries.Add(1))%2]
					_, err := n.Execute(ctx, "INSERT INTO t DEFAULT VALUES")
					if err == nil && acknowledged.Add(1) == 50 {
						close(enough)
					}
				}
			})
		}
		Eventually(ctx, enough).Should(BeClosed())
		Expect(c.target.Crash(ctx, leader)).To(Succeed())
		Expect(state(pid)).To(BeEmpty(), "it is still running")
		Expect(c.status(ctx, leader)).To(And(
			HaveField("State", target.Offline), HaveField("Reason", "crashed"), HaveField("Address", address)))
		before := acknowledged.Load()
		Eventually(ctx, acknowledged.Load).Should(BeNumerically(">=", before+50), "the others do not continue")
		close(stop)
		writers.Wait()

		Expect(c.target.Start(ctx, leader)).To(Succeed())
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(c.status(ctx, leader).Address).To(Equal(address))
		result, err := c.node(leader).Inside().Reading(target.Local).Execute(ctx, "SELECT count(*) FROM t")
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Rows()[0][0]).To(BeNumerically(">=", acknowledged.Load()))
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	It("of all nodes at once loses nothing", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		c.run(ctx, "INSERT INTO t VALUES (1), (2)")
		Expect(c.all(func(i int) error { return c.target.Crash(ctx, i) })).To(Succeed())
		Expect(children(os.Getpid())).To(BeEmpty())
		Expect(c.all(func(i int) error { return c.target.Crash(ctx, i) })).To(Succeed(), "a node that is down stays down")
		Expect(c.all(func(i int) error { return c.target.Start(ctx, i) })).To(Succeed())
		Eventually(ctx, func() (harness.Result, error) {
			return c.ExecuteOnRandom(ctx, "SELECT id FROM t ORDER BY id")
		}).Should(HaveRows(Row(1), Row(2)))
	}, patience)
})

var _ = Describe("Stop", func() {
	It("transfers leadership, before an election timeout", func(ctx SpecContext) {
		const election = 10 * time.Second
		c := boot(ctx, 3, func(o *process.Options) { o.Nodes.ElectionTimeout, o.Nodes.WriteTimeout = election, election })
		c.run(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		leader := c.leader(ctx)
		Expect(c.target.Stop(ctx, leader)).To(Succeed())
		Expect(c.status(ctx, leader)).To(And(HaveField("State", target.Offline), HaveField("Reason", "stopped")))
		short, cancel := context.WithTimeout(ctx, election/2)
		defer cancel()
		_, err := c.but(leader)[0].Execute(short, "INSERT INTO t VALUES (1)")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.target.Stop(ctx, leader)).To(MatchError(ContainSubstring("is offline: stopped")))
	}, patience)

	It("kills a node that does not leave in time, and returns an error", func(ctx SpecContext) {
		c := boot(ctx, 3)
		pid := c.target.Pid(1)
		Expect(syscall.Kill(pid, syscall.SIGSTOP)).To(Succeed())
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		Expect(c.target.Stop(short, 1)).To(And(
			MatchError(HavePrefix("stop node n1: it was killed")), MatchError(context.DeadlineExceeded)))
		Expect(state(pid)).To(BeEmpty())
		Expect(c.target.Start(ctx, 1)).To(Succeed())
	}, patience)
})

var _ = Describe("Start", func() {
	It("needs a node that is down", func(ctx SpecContext) {
		c := boot(ctx, 1)
		Expect(c.target.Start(ctx, 0)).To(MatchError("start node n0: it is already running"))
		Expect(c.target.Start(ctx, 1)).To(MatchError("there is no node 1: the cluster has 1"))
	}, patience)

	It("shows the log of a node that could not start", func(ctx SpecContext) {
		c := boot(ctx, 3)
		Expect(c.target.Crash(ctx, 1)).To(Succeed())
		state := filepath.Join(c.target.Dir(), "n1", "state")
		Expect(os.RemoveAll(state)).To(Succeed())
		Expect(os.WriteFile(state, nil, 0o600)).To(Succeed())
		Expect(c.target.Start(ctx, 1)).To(MatchError(And(
			HavePrefix("start node n1: its process ended: exit status 1; its log ends:\nnode: start node n1: "),
			ContainSubstring(state))))
		Expect(c.status(ctx, 1)).To(And(HaveField("State", target.Offline), HaveField("Reason", ContainSubstring("exit status 1"))))
		Expect(os.Remove(state)).To(Succeed())
		Expect(c.target.Start(ctx, 1)).To(Succeed())
	}, patience)

	It("called concurrently succeeds once", func(ctx SpecContext) {
		c := boot(ctx, 3)
		Expect(c.target.Crash(ctx, 1)).To(Succeed())
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = c.target.Start(ctx, 1) })
		}
		wg.Wait()
		Expect(errs).To(ContainElements(nil, MatchError("start node n1: it is already running")))
		Expect(children(os.Getpid())).To(HaveLen(3))
	}, patience)
})

var _ = Describe("A node that dies by itself", func() {
	It("is reported as offline, with the end of its log, and can be started", func(ctx SpecContext) {
		c := boot(ctx, 3)
		pid := c.target.Pid(1)
		Expect(syscall.Kill(pid, syscall.SIGABRT)).To(Succeed())
		Eventually(ctx, func() (target.Status, error) { return c.Nodes()[1].Status(ctx) }).Should(And(
			HaveField("State", target.Offline),
			HaveField("Reason", And(HavePrefix("its process ended: exit status 2; its log ends:\n"), ContainSubstring("goroutine")))))
		Expect(c.target.Log(1, 1<<20)).To(ContainSubstring("SIGABRT"))
		_, err := c.node(1).Inside().Execute(ctx, "SELECT 1")
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(c.target.Isolate(ctx, 1)).To(Succeed(), "it is told in its next life")
		Expect(c.target.Start(ctx, 1)).To(Succeed())
		Expect(c.target.Rejoin(ctx, 1)).To(Succeed())
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	}, patience)
})

// all calls do for every node concurrently.
func (w *fixture) all(do func(i int) error) error {
	errs := make([]error, len(w.target.Nodes()))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (w *fixture) leader(ctx context.Context) (leader int) {
	GinkgoHelper()
	Eventually(ctx, func() (err error) {
		leader, err = w.Leader(ctx)
		return err
	}).Should(Succeed())
	return leader
}

func (w *fixture) node(i int) *harness.Node {
	GinkgoHelper()
	n, err := w.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return n
}

// but returns all nodes except one.
func (w *fixture) but(i int) []*harness.Node {
	var others []*harness.Node
	for j, n := range w.Nodes() {
		if j != i {
			others = append(others, n)
		}
	}
	return others
}

func (w *fixture) status(ctx context.Context, i int) target.Status {
	GinkgoHelper()
	status, err := w.target.Nodes()[i].Status(ctx)
	Expect(err).NotTo(HaveOccurred(), fmt.Sprint("node ", i))
	return status
}
