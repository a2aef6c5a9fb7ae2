package proc_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

var _ = Describe("What depends on the machine", func() {
	var d proc.Database

	BeforeEach(func() {
		supported()
		GinkgoT().Setenv(notesdVariable, "yes")
		d = notes(self())
	})

	It("makes disks full, and damages a part of them", func(ctx SpecContext) {
		d.Parts = map[fault.Part]string{fault.Database: "*.db", fault.Log: "no*such*file"}
		c := boot(ctx, proc.New(d, proc.Options{}), 1)
		disks, can := target.As[target.DiskFaulter](c)
		if !can {
			Skip("disks cannot be made to fail on this machine")
		}
		client := c.Nodes()[0].Client()
		Expect(run(ctx, client, "CREATE TABLE t (v)", "")).Error().NotTo(HaveOccurred())
		Expect(disks.SetDisk(ctx, 0, fault.Disk{Full: true})).To(Succeed())
		survey, _ := target.As[target.FaultInspector](c)
		Expect(survey.Disk(ctx, 0)).To(Equal(fault.Disk{Full: true}))
		Expect(run(ctx, client, "INSERT INTO t VALUES (1)", "")).Error().To(HaveOccurred())
		Expect(disks.SetDisk(ctx, 0, fault.Disk{})).To(Succeed())
		Expect(run(ctx, client, "INSERT INTO t VALUES (1)", "")).Error().NotTo(HaveOccurred())
		Expect(disks.Damage(ctx, 0, fault.Database)).To(Equal("notes.db"))
		Expect(disks.Damage(ctx, 0, fault.Database)).To(Equal("notes.db"), "which repairs it")
		Expect(run(ctx, client, "SELECT v FROM t", target.Local)).To(HaveLen(1))
		Expect(disks.Damage(ctx, 0, fault.Everything)).Error().To(MatchError("empty the disk of node n0: it runs"))
		Expect(disks.Damage(ctx, 0, fault.Log)).Error().To(MatchError(ContainSubstring("no such part")))
	}, patience)

	It("loses what was not synced when a crash cuts the power", func(ctx SpecContext) {
		d.CutsPower = true
		d.Programs = append(d.Programs, shell("[ -s unsynced ] && echo it is there; echo word > unsynced; exec sleep 1000"))
		c := boot(ctx, proc.New(d, proc.Options{}), 2)
		if !target.Can(c, target.Disks) {
			Skip("disks cannot be made to fail on this machine")
		}
		starter, _ := target.As[target.Starter](c)
		logs, _ := target.As[target.LogReader](c)
		Expect(run(ctx, c.Nodes()[0].Client(), "CREATE TABLE t (v); INSERT INTO t VALUES (7)", "")).Error().NotTo(HaveOccurred())
		for range 2 {
			Expect(run(ctx, c.Nodes()[1].Client(), "SELECT v FROM t", target.Local)).To(HaveLen(1), "on a new connection")
			Expect(starter.Crash(ctx, 1)).To(Succeed())
			Expect(starter.Crash(ctx, 1)).To(Succeed())
			Expect(c.Nodes()[1].Status(ctx)).To(And(HaveField("State", target.Offline), HaveField("Reason", "crashed")))
			Expect(starter.Start(ctx, 1)).To(Succeed())
		}
		Expect(logs.Log(1, 10000)).NotTo(ContainSubstring("it is there"))
		Expect(run(ctx, c.Nodes()[1].Client(), "SELECT v FROM t", target.Local)).To(Equal([][]any{{int64(7)}}))
	}, patience)

	It("reaches what takes the place of a node whose power was cut, after one request has waited in vain", func(ctx SpecContext) {
		d.CutsPower = true
		c := boot(ctx, proc.New(d, proc.Options{}), 2)
		client := c.Nodes()[1].Client()
		if !target.Can(c, target.Disks) {
			Skip("disks cannot be made to fail on this machine")
		}
		var readers sync.WaitGroup
		for range 8 { // which leave idle connections
			readers.Go(func() {
				defer GinkgoRecover()
				for range 10 {
					Expect(run(ctx, client, "SELECT 1", target.Local)).Error().NotTo(HaveOccurred())
				}
			})
		}
		readers.Wait()
		starter, _ := target.As[target.Starter](c)
		Expect(starter.Crash(ctx, 1)).To(Succeed())
		listens, _ := target.As[target.Listener](c)
		l, err := listens.Listen(1)
		Expect(err).NotTo(HaveOccurred())
		arrived := make(chan error, 1)
		go func() {
			conn, err := l.Accept()
			if err == nil {
				err = conn.Close()
			}
			arrived <- err
		}()
		for range 2 {
			brief, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
			Expect(run(brief, client, "SELECT 1", target.Local)).Error().To(HaveOccurred())
			cancel()
		}
		Expect(l.Close()).To(Succeed())
		Expect(<-arrived).To(Succeed())
	}, patience)

	It("sets the clocks of programs that ask the C library", func(ctx SpecContext) {
		d.Programs = []proc.Program{shell("exec sleep 1000")}
		d.Clocks = true
		var node *proc.Node
		d.Formed = nil
		d.Ready = func(_ context.Context, n *proc.Node) error { node = n; return nil }
		c := boot(ctx, proc.New(d, proc.Options{}), 1)
		clocks, can := target.As[target.ClockSetter](c)
		if !can {
			Skip("clocks cannot be set on this machine")
		}
		Expect(clocks.SetClock(ctx, 0, 100*time.Hour)).To(Succeed())
		survey, _ := target.As[target.FaultInspector](c)
		Expect(survey.Clock(ctx, 0)).To(Equal(100 * time.Hour))
		now, err := node.Output(ctx, "date", "+%s")
		Expect(err).NotTo(HaveOccurred())
		var seconds int64
		_, err = fmt.Sscan(now, &seconds)
		Expect(err).NotTo(HaveOccurred())
		Expect(time.Until(time.Unix(seconds, 0))).To(BeNumerically("~", 100*time.Hour, time.Minute))
	}, patience)

	It("leaves clocks alone, and knows which words tell of a bug, as the database declares", func(ctx SpecContext) {
		d.Alarms = &target.Alarms{Words: []string{"notesd is confused"}}
		c := boot(ctx, proc.New(d, proc.Options{}), 1)
		Expect(target.Can(c, target.Clocks)).To(BeFalse())
		Expect(target.AlarmsOf(c)).To(Equal(*d.Alarms))
	}, patience)
})
