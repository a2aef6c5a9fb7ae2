package external_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/external"
)

var _ = Describe("A cluster that runs already", func() {
	It("is driven by its commands", func(ctx SpecContext) {
		l := newLab()
		c := l.boot(ctx)
		Expect(l.noted()).To(Equal([]string{"reset 3 -1"}))
		Expect(c.Isolate(ctx, 0)).To(Succeed())
		Expect(c.Rejoin(ctx, 0)).To(Succeed())
		starts, pauses := as[target.Starter](c), as[target.Pauser](c)
		Expect(starts.Stop(ctx, 1)).To(Succeed())
		Expect(starts.Start(ctx, 1)).To(Succeed())
		Expect(pauses.Pause(ctx, 2)).To(Succeed())
		Expect(pauses.Pause(ctx, 2)).To(Succeed())
		Expect(pauses.Resume(ctx, 2)).To(Succeed())
		Expect(pauses.Resume(ctx, 2)).To(Succeed())
		Expect(pauses.Pause(ctx, 2)).To(Succeed())
		Expect(starts.Crash(ctx, 2)).To(Succeed())
		Expect(starts.Crash(ctx, 2)).To(Succeed())
		Expect(starts.Start(ctx, 2)).To(Succeed())
		Expect(l.noted()).To(Equal([]string{
			"cut b c from a", "heal a", "stop b", "start b", "pause c", "resume c", "pause c", "kill c", "start c"}))
		Expect(as[target.LogReader](c).Log(0, 8)).To(Equal("id this\n"))
		Expect(as[target.Named](c).Name()).To(Equal("lab"))
		Expect(target.Holds(c, target.OwnWrites)).To(BeTrue())
		Expect(target.Holds(c, target.Streams)).To(BeFalse())
	})

	It("refuses what makes no sense", func(ctx SpecContext) {
		c := newLab().boot(ctx)
		starts, pauses := as[target.Starter](c), as[target.Pauser](c)
		Expect(starts.Start(ctx, 0)).To(MatchError("node a: start: it is running"))
		Expect(starts.Stop(ctx, 0)).To(Succeed())
		Expect(starts.Stop(ctx, 0)).To(MatchError("node a: stop: it is stopped"))
		Expect(pauses.Pause(ctx, 0)).To(MatchError("node a: pause: it is stopped"))
		Expect(c.Isolate(ctx, 7)).To(MatchError("there is no node 7: the cluster has 3"))
	})

	It("lacks the abilities that have no command", func(ctx SpecContext) {
		l := newLab()
		l.Commands = described.Commands{}
		c := l.boot(ctx)
		for _, ability := range target.Abilities() {
			Expect(target.Can(c, ability)).To(BeFalse(), string(ability))
		}
		Expect(c.Isolate(ctx, 0)).To(MatchError(errors.ErrUnsupported))
		Expect(l.noted()).To(BeEmpty())

		all := newLab().boot(ctx)
		for _, ability := range []target.Ability{target.Isolate, target.Stop, target.Crash, target.Pause, target.Logs, target.Versions} {
			Expect(target.Can(all, ability)).To(BeTrue(), string(ability))
		}
	})

	It("is brought back by Close as it was", func(ctx SpecContext) {
		l := newLab()
		c := l.boot(ctx)
		Expect(c.Isolate(ctx, 0)).To(Succeed())
		Expect(as[target.Starter](c).Crash(ctx, 1)).To(Succeed())
		Expect(as[target.Pauser](c).Pause(ctx, 2)).To(Succeed())
		l.noted()
		Expect(c.Close()).To(Succeed())
		Expect(l.noted()).To(ConsistOf("heal a", "start b", "resume c"))
		Expect(c.Close()).To(Succeed())
		Expect(l.noted()).To(BeEmpty())
	})

	It("exists once", func(ctx SpecContext) {
		l := newLab()
		over, err := external.New("lab", l.Target)
		Expect(err).NotTo(HaveOccurred())
		c, err := over.Boot(ctx, 3)
		Expect(err).NotTo(HaveOccurred())
		_, err = over.Boot(ctx, 3)
		Expect(err).To(MatchError(external.ErrBooted))
		Expect(c.Close()).To(Succeed())
		c, err = over.Boot(ctx, 2)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Nodes()).To(HaveLen(2))
		Expect(c.Close()).To(Succeed())
	})

	It("has the size that it has, without a command reset", func(ctx SpecContext) {
		l := newLab()
		l.Commands.Reset = ""
		over, err := external.New("lab", l.Target)
		Expect(err).NotTo(HaveOccurred())
		for _, size := range []int{1, 5} {
			_, err = over.Boot(ctx, size)
			Expect(err).To(MatchError(&target.SizeError{Asked: size, Has: 3}))
		}
	})

	It("is not booted while a node does not answer, and the error has its log", func(ctx SpecContext) {
		l := newLab()
		l.Nodes[1].Address = "127.0.0.1:1"
		over, err := external.New("lab", l.Target)
		Expect(err).NotTo(HaveOccurred())
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err = over.Boot(short, 3)
		Expect(err).To(And(MatchError(context.DeadlineExceeded), MatchError(ContainSubstring("node b does not answer")),
			MatchError(ContainSubstring("its log ends:\nhost-b said this"))))
	})

	It("is given another version while it does not run", func(ctx SpecContext) {
		l := newLab()
		c := l.boot(ctx)
		upgrades := as[target.Upgrader](c)
		Expect(upgrades.Versions()).To(Equal([]string{"1", "2"}))
		Expect(upgrades.Version(0)).To(Equal("2"))
		Expect(upgrades.SetVersion(ctx, 0, "1")).To(MatchError("node a: version: it is running"))
		Expect(as[target.Starter](c).Stop(ctx, 0)).To(Succeed())
		Expect(upgrades.SetVersion(ctx, 0, "3")).To(MatchError(ContainSubstring(`there is no version "3"`)))
		l.noted()
		Expect(upgrades.SetVersion(ctx, 0, "1")).To(Succeed())
		Expect(upgrades.Version(0)).To(Equal("1"))
		Expect(l.noted()).To(Equal([]string{"version 1 a"}))
	})
})

var _ = Describe("A client of a node that is cut off", func() {
	It("is refused, also in the middle of a request, and Inside is not", func(ctx SpecContext) {
		l := newLab()
		c := l.boot(ctx)
		d, node := l.databases[0], c.Nodes()[0]
		d.mu.Lock()
		d.hold = make(chan struct{})
		d.mu.Unlock()
		failed := make(chan error, 1)
		go func() {
			_, err := node.Client().Query(ctx, target.Request{SQL: "DELETE FROM t"})
			failed <- err
		}()
		Eventually(ctx, d.asked).Should(Receive())
		Expect(c.Isolate(ctx, 0)).To(Succeed())
		var err error
		Eventually(ctx, failed).Should(Receive(&err))
		Expect(err).To(MatchError(ContainSubstring("the node is cut off from its clients")))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
		d.mu.Lock()
		d.hold = nil
		d.mu.Unlock()

		_, err = node.Client().Query(ctx, target.Request{SQL: "SELECT 1"})
		Expect(err).To(MatchError(target.ErrUnreachable))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		ask := func(sql target.SQL) error {
			rows, err := sql.Query(ctx, target.Request{SQL: "SELECT 1"})
			if err != nil {
				return err
			}
			return rows.Close()
		}
		Expect(ask(node.Inside())).To(Succeed())
		Expect(c.Rejoin(ctx, 0)).To(Succeed())
		Expect(ask(node.Client())).To(Succeed())
	})

	It("is let through again if the command fails", func(ctx SpecContext) {
		l := newLab()
		l.Commands.Cut = "sh -c 'echo no such network >&2; exit 3'"
		c := l.boot(ctx)
		Expect(c.Isolate(ctx, 0)).To(MatchError(And(HavePrefix("node a: cut (sh -c"), ContainSubstring("exit status 3"),
			HaveSuffix("its error output ends: no such network"))))
		rows, err := c.Nodes()[0].Client().Query(ctx, target.Request{SQL: "SELECT 1"})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.Close()).To(Succeed())
	})
})

var _ = Describe("A command", func() {
	It("that takes too long is killed with its children", func(ctx SpecContext) {
		l := newLab()
		l.Commands.Timeout = 200 * time.Millisecond
		file := filepath.Join(GinkgoT().TempDir(), "pid")
		l.Commands.Pause = "sh -c 'sleep 300 & echo $! > " + file + "; wait'"
		c := l.boot(ctx)
		Expect(as[target.Pauser](c).Pause(ctx, 0)).To(MatchError(ContainSubstring("it took longer than 200ms")))
		pid, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, func() string {
			state, _ := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/status")
			return string(state)
		}).Should(Or(BeEmpty(), ContainSubstring("Z (zombie)")))
	})

	It("is done when it has ended, whatever it leaves in the background", func(ctx SpecContext) {
		l := newLab()
		l.Commands.Start = "sh -c 'sleep 300 & echo $! > " + l.notes + "'"
		c := l.boot(ctx)
		Expect(as[target.Starter](c).Stop(ctx, 0)).To(Succeed())
		l.noted()
		Expect(as[target.Starter](c).Start(ctx, 0)).To(Succeed())
		pid := l.noted()
		Expect(pid).To(HaveLen(1))
		Expect(external.Run(ctx, "kill -KILL "+pid[0])).To(Succeed())
	})

	It("runs one at a time for a node", func(ctx SpecContext) {
		l := newLab()
		l.Commands.Pause = "sh -c 'echo begin >> " + l.notes + "; sleep 0.05; echo end >> " + l.notes + "'"
		l.Commands.Cut = l.Commands.Pause
		c := l.boot(ctx)
		l.noted()
		paused := make(chan error)
		go func() { paused <- as[target.Pauser](c).Pause(ctx, 0) }()
		Expect(c.Isolate(ctx, 0)).To(Succeed())
		Expect(<-paused).To(Succeed())
		Expect(l.noted()).To(Equal([]string{"begin", "end", "begin", "end"}))
	})
})

var _ = Describe("The status of a node", func() {
	status := func(ctx context.Context, l *lab) (target.Status, error) {
		GinkgoHelper()
		return l.boot(ctx).Nodes()[0].Status(ctx)
	}

	It("is read by templates", func(ctx SpecContext) {
		l := newLab()
		l.databases[0].status = map[string]any{"raft": map[string]any{"role": "leader", "at": 7, "term": 3}, "leader": l.Nodes[0].Address}
		l.Target.Status = described.Status{
			Ask:   []described.Ask{{Call: &described.Call{Path: "/status"}}, {Name: "sql", SQL: "SELECT role"}},
			State: `{{if eq .sql.role "seen"}}online{{end}}`, Role: "{{.raft.role}}", Leader: "{{.leader}}", Term: "{{.raft.term}}",
			Commit: "{{.raft.at}}", Applied: "6", Reason: "{{.none}}",
		}
		for _, d := range l.databases[1:] {
			d.status = l.databases[0].status
		}
		Expect(status(ctx, l)).To(Equal(target.Status{ID: "a", Address: l.Nodes[0].Address, State: target.Online, Role: "leader", Leader: "a",
			Term: 3, CommitIndex: 7, AppliedIndex: 6, Behind: 1, Voter: true}))
	})

	DescribeTable("is an error if a field cannot be read", func(ctx SpecContext, change func(*described.Status), message string) {
		l := newLab()
		c := l.boot(ctx)
		Expect(c.Close()).To(Succeed())
		change(&l.Target.Status)
		over, err := external.New("lab", l.Target)
		Expect(err).NotTo(HaveOccurred())
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err = over.Boot(short, 3)
		Expect(err).To(MatchError(ContainSubstring(message)))
	},
		Entry("as a state", func(s *described.Status) { s.State = "{{.role}}" },
			`status of node a: "follower" is no state; the answers are {"role":"follower"}`),
		Entry("as a state that is missing", func(s *described.Status) { s.State = "{{.none}}" }, `status of node a: "" is no state`),
		Entry("as a number", func(s *described.Status) { s.Term = "{{.role}}" }, `status of node a: "follower" is no term`),
	)

	It("of a node that does not run is offline, and it is not asked", func(ctx SpecContext) {
		l := newLab()
		c := l.boot(ctx)
		Expect(as[target.Pauser](c).Pause(ctx, 0)).To(Succeed())
		l.databases[0].set("role", "other")
		Expect(c.Nodes()[0].Status(ctx)).To(Equal(target.Status{ID: "a", Address: l.Nodes[0].Address, State: target.Offline, LastContact: -1,
			Voter: true, Reason: "paused"}))
	})
})

var _ = It("A description with mistakes is refused with all of them", func() {
	_, err := external.New("lab", described.Target{Commands: described.Commands{Stop: "a 'b"}})
	Expect(err).To(MatchError(And(ContainSubstring("target lab: nodes: it lists no node"),
		ContainSubstring("target lab: commands.stop: a ' is not closed"), ContainSubstring("commands.stop: start and kill are missing"),
		ContainSubstring("it does not say how nodes answer SQL"), ContainSubstring("status.ask: it asks nothing"))))
})
