package proc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// shell is a program of a script.
func shell(script string, more ...string) proc.Program {
	return proc.Program{Path: "sh", Args: append([]string{"-c", script}, more...)}
}

var _ = Describe("A database", func() {
	var d proc.Database

	BeforeEach(func() {
		supported()
		GinkgoT().Setenv(notesdVariable, "yes")
		d = notes(self())
	})

	It("has files, an environment and prepared disks from templates", func(ctx SpecContext) {
		found := filepath.Join(GinkgoT().TempDir(), "found")
		d.Vars["found"] = found
		d.Files = map[string]string{
			"conf/{{.Name}}.conf": `{{.Name}} {{.Index}} {{range .Nodes}}{{.Name}},{{end}} {{join .Others "{{.Name}}={{add .Index 10}}" ";"}}`,
		}
		copied := GinkgoT().TempDir()
		Expect(os.MkdirAll(filepath.Join(copied, "n0", "made"), 0o700)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(copied, "n0", "made", "once"), []byte("prepared\n"), 0o600)).To(Succeed())
		d.Disk = "{{if .Bootstrap}}" + copied + "/{{.Name}}{{end}}"
		d.Prepare = []proc.Program{shell("mkdir -p {{.Vars.found}}/{{.Name}} && " +
			"{{if .Bootstrap}}cat made/once{{else}}echo prepared{{end}} >> {{.Vars.found}}/{{.Name}}/prepared; rm -rf made")}
		d.Programs = append([]proc.Program{{
			Path: "sh", Env: []string{"WORD={{.Name}} {{.Bootstrap}} {{.First}}", "{{if .Joining}}NO=NO{{end}}"}, Dir: "{{.Dir}}/conf",
			Args: []string{
				"-c", `cat {{.Name}}.conf > {{.Vars.found}}/{{.Name}}/conf; echo "$WORD $#" >> {{.Vars.found}}/{{.Name}}/word; exec sleep 1000`,
				"sh", "{{if .Joining}}-x{{end}}", "y",
			},
		}}, d.Programs...)
		c := boot(ctx, proc.New(d, proc.Options{}), 2)
		starter, _ := target.As[target.Starter](c)
		Expect(starter.Crash(ctx, 0)).To(Succeed())
		Expect(starter.Start(ctx, 0)).To(Succeed())
		content := func(file string) string {
			text, err := os.ReadFile(filepath.Join(found, file))
			Expect(err).NotTo(HaveOccurred())
			return string(text)
		}
		Expect(content("n0/prepared")).To(Equal("prepared\n"), "once")
		Expect(content("n0/conf")).To(Equal("n0 0 n0,n1, n1=11"))
		Expect(content("n0/word")).To(Equal("n0 true true 1\nn0 false false 1\n"))
		Expect(content("n1/word")).To(Equal("n1 false true 1\n"))
	}, patience)

	It("stops its programs in the opposite order, by signals and commands", func(ctx SpecContext) {
		folder := GinkgoT().TempDir()
		d.Vars["folder"] = folder
		wait := `trap 'echo {{.Name}} %s >> {{.Vars.folder}}/order; exit 0' %s; while :; do sleep 0.01; done`
		second := shell(fmt.Sprintf(wait, "second", "INT"))
		second.Signal = syscall.SIGINT
		third := shell(`while [ ! -e {{.Dir}}/end ]; do sleep 0.01; done; echo {{.Name}} third >> {{.Vars.folder}}/order`)
		third.StopPath, third.StopArgs = "touch", []string{"{{.Dir}}/end"}
		d.Programs = append(d.Programs, shell(fmt.Sprintf(wait, "first", "TERM")), second, third)
		c := boot(ctx, proc.New(d, proc.Options{}), 1)
		starter, _ := target.As[target.Starter](c)
		Expect(starter.Stop(ctx, 0)).To(Succeed())
		order, err := os.ReadFile(filepath.Join(folder, "order"))
		Expect(err).NotTo(HaveOccurred())
		Expect(string(order)).To(Equal("n0 third\nn0 second\nn0 first\n"))
	}, patience)

	It("is killed where it does not stop in time", func(ctx SpecContext) {
		d.Programs = append(d.Programs, shell(`trap '' TERM; while :; do sleep 0.01; done`))
		c := boot(ctx, proc.New(d, proc.Options{}), 1)
		starter, _ := target.As[target.Starter](c)
		brief, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		Expect(starter.Stop(brief, 0)).To(MatchError(And(ContainSubstring("was killed"), ContainSubstring("deadline"))))
		Expect(c.Nodes()[0].Status(ctx)).To(HaveField("State", target.Offline))
		Expect(starter.Start(ctx, 0)).To(Succeed())
	}, patience)

	It("fails to boot with the reason, and leaves nothing", func(ctx SpecContext) {
		d.Programs[0].Args = append(d.Programs[0].Args, "{{if eq .Index 1}}-fail=my disk is gone{{end}}")
		_, err := proc.New(d, proc.Options{}).Boot(ctx, 2)
		Expect(err).To(MatchError(And(ContainSubstring("boot notes: start node n1: it ended before it was ready"),
			ContainSubstring("exit code 3"), ContainSubstring("my disk is gone"))))
	}, patience)

	DescribeTable("is refused with what is wrong",
		func(ctx SpecContext, change func(*proc.Database), reason string) {
			change(&d)
			_, err := proc.New(d, proc.Options{}).Boot(ctx, 1)
			Expect(err).To(MatchError(ContainSubstring(reason)))
		},
		Entry("no name", patience, func(d *proc.Database) { d.Name = "" }, "has no Name"),
		Entry("no programs", patience, func(d *proc.Database) { d.Programs = nil }, "has no Programs"),
		Entry("no SQL", patience, func(d *proc.Database) { d.SQL = nil }, "has no SQL"),
		Entry("no address", patience, func(d *proc.Database) { d.Address = "" }, "has no Address"),
		Entry("an address without a port", patience, func(d *proc.Database) { d.Address = "{{.Host}}" }, "is no host:port"),
		Entry("a template that is none", patience, func(d *proc.Database) { d.Programs[0].Args[0] = "{{.Name" }, `"{{.Name" cannot be read`),
		Entry("an unknown variable", patience, func(d *proc.Database) { d.Programs[0].Args[0] = "{{.Vars.none}}" }, `cannot be filled`),
		Entry("a program that is not there", patience, func(d *proc.Database) { d.Programs[0].Path = "no-such-program" }, "no-such-program"),
		Entry("a disk that cannot be prepared", patience, func(d *proc.Database) { d.Prepare = []proc.Program{shell("echo no room; exit 4")} },
			"no room"),
		Entry("a cluster that does not form", patience, func(d *proc.Database) {
			d.Formed = func(context.Context, []*proc.Node) error { return errors.New("they do not meet") }
		}, "form the cluster: they do not meet"),
		Entry("a node that ends before the cluster forms", patience, func(d *proc.Database) {
			d.Programs = append(d.Programs, shell("until [ -e forming ]; do sleep 0.02; done; exit 5"))
			d.Formed = func(ctx context.Context, nodes []*proc.Node) error {
				if err := os.WriteFile(filepath.Join(nodes[0].Dir(), "forming"), nil, 0o644); err != nil {
					return err
				}
				<-ctx.Done()
				return context.Cause(ctx)
			}
		}, "node n0 has ended: sh: exit code 5"),
	)

	It("boots its nodes in its order", func(ctx SpecContext) {
		for order, want := range map[proc.Order][]string{
			proc.FirstAlone: {"n0 starts", "n0 is ready"}, proc.OneByOne: {"n0 starts", "n0 is ready", "n1 starts", "n1 is ready", "n2 starts",
				"n2 is ready"},
		} {
			var mu sync.Mutex
			var said []string
			say := func(what string) {
				mu.Lock()
				defer mu.Unlock()
				if !slices.Contains(said, what) {
					said = append(said, what)
				}
			}
			d := notes(self())
			d.Order = order
			d.Programs[0].Ready = func(_ context.Context, n *proc.Node) error { say(n.Name() + " starts"); return nil }
			status := d.Status
			d.Ready = func(ctx context.Context, n *proc.Node) error {
				_, err := status(ctx, n)
				if err == nil {
					say(n.Name() + " is ready")
				}
				return err
			}
			c := boot(ctx, proc.New(d, proc.Options{}), 3)
			Expect(said).To(HaveLen(6))
			Expect(said[:len(want)]).To(Equal(want))
			Expect(c.Close()).To(Succeed())
		}
	}, patience)

	It("says which of its programs has ended by itself, and starts again as a whole", func(ctx SpecContext) {
		d.Programs = append(d.Programs, shell("while [ ! -e {{.Dir}}/end ]; do sleep 0.01; done; exit 7"))
		var node *proc.Node
		d.Formed = func(_ context.Context, nodes []*proc.Node) error { node = nodes[0]; return nil }
		c := boot(ctx, proc.New(d, proc.Options{}), 1)
		Expect(node.Output(ctx, "touch", node.Dir()+"/end")).To(BeEmpty())
		Eventually(ctx, func() (target.Status, error) { return c.Nodes()[0].Status(ctx) }).Should(
			And(HaveField("State", target.Offline), HaveField("Reason", "sh: exit code 7")))
		Expect(node.Output(ctx, "rm", node.Dir()+"/end")).To(BeEmpty())
		starter, _ := target.As[target.Starter](c)
		Expect(starter.Start(ctx, 0)).To(Succeed())
		Expect(c.Nodes()[0].Status(ctx)).To(HaveField("State", target.Online))
		_, err := node.Output(ctx, "sh", "-c", "echo oh no; exit 5")
		Expect(err).To(MatchError("node n0: run sh: exit code 5: oh no"))
	}, patience)

	It("runs the version that a node is set to", func(ctx SpecContext) {
		d.Vars["version"] = "none"
		d.Versions = []proc.Version{{Name: "old", Vars: map[string]string{"version": "1"}}, {Name: "new",
			Vars: map[string]string{"version": "2"}}}
		d.Programs[0].Env = []string{"VERSION={{.Vars.version}} {{.Version}}"}
		c := boot(ctx, proc.New(d, proc.Options{}), 2)
		upgrader, can := target.As[target.Upgrader](c)
		Expect(can).To(BeTrue())
		starter, _ := target.As[target.Starter](c)
		logs, _ := target.As[target.LogReader](c)
		Expect(upgrader.Versions()).To(Equal([]string{"old", "new"}))
		Expect(upgrader.Version(1)).To(Equal("new"))
		Expect(logs.Log(1, 1000)).To(ContainSubstring("version 2 new"))
		Expect(upgrader.SetVersion(ctx, 1, "old")).To(MatchError("set the version of node n1: it runs"))
		Expect(starter.Stop(ctx, 1)).To(Succeed())
		Expect(upgrader.SetVersion(ctx, 1, "older")).To(MatchError(ContainSubstring(`there is no version "older", only ["old" "new"]`)))
		Expect(upgrader.SetVersion(ctx, 1, "old")).To(Succeed())
		Expect(starter.Start(ctx, 1)).To(Succeed())
		Expect(logs.Log(1, 1000)).To(ContainSubstring("version 1 old"))
	}, patience)

	It("changes its members", func(ctx SpecContext) {
		var mu sync.Mutex
		var said []string
		d.Members = &proc.Members{
			Join: func(_ context.Context, member, node *proc.Node, voter bool) error {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, fmt.Sprint(member.Name(), " takes in ", node.Name(), " ", voter))
				return nil
			},
			Leave: func(_ context.Context, member, node *proc.Node) error {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, fmt.Sprint(member.Name(), " removes ", node.Name()))
				if member.Name() == "n0" {
					return errors.New("n0 does not want to")
				}
				return nil
			},
		}
		c := boot(ctx, proc.New(d, proc.Options{}), 2)
		members, can := target.As[target.Membership](c)
		Expect(can).To(BeTrue())
		starter, _ := target.As[target.Starter](c)
		logs, _ := target.As[target.LogReader](c)
		added, err := members.Add(ctx, false)
		Expect(err).NotTo(HaveOccurred())
		Expect(added.ID()).To(Equal("n2"))
		Expect(c.Nodes()).To(HaveLen(3))
		Expect(logs.Log(2, 1000)).To(ContainSubstring("n2 starts, join true"))
		Expect(added.Status(ctx)).To(HaveField("State", target.Online))
		Expect(members.Replace(ctx, 2)).To(MatchError("replace node n2: it runs"))
		Expect(starter.Crash(ctx, 2)).To(Succeed())
		Expect(members.Replace(ctx, 2)).To(Succeed())
		Expect(members.Remove(ctx, 1)).To(Succeed())
		Expect(c.Nodes()[1].Status(ctx)).To(And(HaveField("State", target.Offline), HaveField("Reason", "removed")))
		Expect(starter.Start(ctx, 1)).To(MatchError("start node n1: it was removed"))
		Expect(said).To(Equal([]string{
			"n0 takes in n2 false", "n0 removes n2", "n1 removes n2", "n0 takes in n2 true", "n0 removes n1", "n2 removes n1",
		}))
	}, patience)
})
