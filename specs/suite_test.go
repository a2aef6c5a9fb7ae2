package specs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/report/progress"
	"github.com/rejoin-db/rejoin/harness/report/runs"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// With this variable the program is a suite whose spec fails if its value is "fails".
const beSuite = "TEST_BE_A_SUITE"

func TestShop(t *testing.T) {
	what := os.Getenv(beSuite)
	if what == "" {
		t.Skip("this is the suite that TestSuites runs")
	}
	Describe("A shop", func() {
		It("has 'one' node", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, local.New(local.Options{}))
			Expect(specs.Namespace(ctx, cluster)).To(HavePrefix("spec_"))
			Expect(cluster.Size()).To(Equal(1))
			Expect(what).NotTo(Equal("fails"))
		})
		It("has two clusters", func(ctx SpecContext) {
			specs.Cluster(ctx, local.New(local.Options{}))
			specs.Cluster(ctx, local.New(local.Options{}))
		})
		It("leaves a goroutine", func(ctx SpecContext) {
			specs.Cluster(ctx, local.New(local.Options{}))
			if what == "leaks" {
				go func() { <-time.After(time.Minute) }()
			}
		})
		It("asks for a median", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, mute(local.New(local.Options{})))
			_, err := cluster.ExecuteOnRandom(ctx, "SELECT median(1)")
			Expect(err).To(MatchError(target.ErrNoWords))
			Expect(cluster.Wordless()).To(ConsistOf("it cannot say the function median: SELECT median(1)"))
			if what == "wordless" {
				Expect(cluster.ExecuteOnRandom(ctx, "SELECT median(1)")).Error().NotTo(HaveOccurred())
			}
			Expect(what).NotTo(Equal("fails otherwise"))
		})
	})
	specs.Run(t, "Shop")
}

// mute is a target whose nodes have no words for a median.
func mute(t target.Target) target.Target {
	return target.Decorate(t, func(c target.Cluster) (target.Cluster, error) { return muteCluster{c}, nil })
}

type muteCluster struct{ target.Cluster }

func (c muteCluster) Unwrap() target.Cluster { return c.Cluster }

func (c muteCluster) Nodes() (nodes []target.Node) {
	for _, n := range c.Cluster.Nodes() {
		nodes = append(nodes, muteNode{n})
	}
	return nodes
}

type muteNode struct{ target.Node }

func (n muteNode) Client() target.SQL { return muteSQL{n.Node.Client()} }

type muteSQL struct{ target.SQL }

func (s muteSQL) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	if strings.Contains(request.SQL, "median") {
		message := "it cannot say the function median: " + request.SQL
		return nil, &target.Error{Kind: target.ErrNoWords, Outcome: target.NotApplied, Message: message}
	}
	return s.SQL.Query(ctx, request)
}

// run runs the command and returns what it wrote, and whether it passed.
func run(ctx context.Context, t *testing.T, environment []string, name string, args ...string) (string, bool) {
	t.Helper()
	command := exec.CommandContext(ctx, name, args...)
	command.Env, command.Dir = append(append(os.Environ(), "REJOIN_REPORT=none"), environment...), ".."
	said, err := command.CombinedOutput()
	return string(said), err == nil
}

// journalsIn counts the journals of a page, which is in the list of runs.
func journalsIn(g *WithT, file string) int {
	content, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	kept, err := runs.Read(runs.Folder(file))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kept).To(HaveLen(1))
	g.Expect(os.ReadDir(runs.Folder(file))).To(HaveLen(2), "the run and the list, and nothing that was left")
	return strings.Count(string(content), `id="journal-`)
}

func TestSuites(t *testing.T) {
	if os.Getenv(beSuite) != "" {
		t.Skip("this is the suite itself")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	suite := func(t *testing.T, what string, args ...string) (string, bool) {
		settings := []string{beSuite + "=" + what, "REJOIN_NODES=1", "REJOIN_JOURNALS=all", "REJOIN_JOURNAL_FOLDER=" + t.TempDir()}
		for len(args) > 0 && strings.HasPrefix(args[0], "REJOIN_") {
			settings, args = append(settings, args[0]), args[1:]
		}
		return run(t.Context(), t, settings, self, append([]string{"-test.run=^TestShop$", "-ginkgo.no-color"}, args...)...)
	}

	t.Run("writes a JUnit report of its own form", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "made", "junit.xml")
		t.Setenv("REJOIN_JUNIT_REPORT", file)
		if said, passed := suite(t, "fails", "-ginkgo.focus=has 'one' node"); passed {
			t.Fatal(said)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`tests="4" failures="1" errors="0" skipped="3"`, `<property name="nodes" value="1">`, `<property name="target" value="local">`,
			`<testcase name="A shop has &#39;one&#39; node" classname="specs.suite_test"`, "[[ATTACHMENT|", "[[PROPERTY|file=specs/suite_test.go]]",
		} {
			if !strings.Contains(string(content), want) {
				t.Errorf("%s is missing in\n%s", want, content)
			}
		}
	})
	t.Run("writes a page with the journals of all specs", func(t *testing.T) {
		g := NewWithT(t)
		file := filepath.Join(t.TempDir(), "made", "index.html")
		said, passed := suite(t, "fails", "REJOIN_REPORT="+file, "REJOIN_JOURNALS=failed")
		g.Expect(passed).To(BeFalse(), said)
		g.Expect(said).To(ContainSubstring("\nreport: " + file + "\n"))
		g.Expect(journalsIn(g, file)).To(Equal(5), "journals of one cluster a spec, and two of one")
	})
	t.Run("writes one page for all processes", func(t *testing.T) {
		g := NewWithT(t)
		file := filepath.Join(t.TempDir(), "made", "index.html")
		said, passed := run(t.Context(), t, []string{beSuite + "=passes", "REJOIN_NODES=1", "REJOIN_REPORT=" + file}, "go", "tool", "ginkgo",
			"--procs=2", "--no-color", self, "--", "-test.run=^TestShop$")
		g.Expect(passed).To(BeTrue(), said)
		g.Expect(journalsIn(g, file)).To(Equal(5))
	})
	t.Run("leaves the page of the last run if no spec runs", func(t *testing.T) {
		g := NewWithT(t)
		file := filepath.Join(t.TempDir(), "made", "index.html")
		said, passed := suite(t, "passes", "REJOIN_REPORT="+file, "-ginkgo.dry-run")
		g.Expect(passed).To(BeTrue(), said)
		said, passed = suite(t, "passes", "REJOIN_REPORT="+file, "-ginkgo.label-filter=none-has-it")
		g.Expect(passed).To(BeTrue(), said)
		g.Expect(filepath.Dir(file)).NotTo(BeADirectory())
	})
	t.Run("says why it has no page, and does not fail", func(t *testing.T) {
		g := NewWithT(t)
		blocked := filepath.Join(t.TempDir(), "blocked")
		g.Expect(os.WriteFile(blocked, nil, 0o600)).To(Succeed())
		said, passed := suite(t, "passes", "REJOIN_REPORT="+filepath.Join(blocked, "index.html"), "REJOIN_JOURNALS=all")
		g.Expect(passed).To(BeTrue(), said)
		g.Expect(said).To(ContainSubstring("is not complete: keep a run: "))
	})
	t.Run("has no colours with NO_COLOR", func(t *testing.T) {
		t.Setenv("GINKGO_NO_COLOR", "") // which this run may have, and is restored
		if err := os.Unsetenv("GINKGO_NO_COLOR"); err != nil {
			t.Fatal(err)
		}
		for value, colored := range map[string]bool{"": true, "1": false, "anything": false} {
			settings := []string{beSuite + "=passes", "REJOIN_NODES=1", "REJOIN_JOURNALS=none", "REJOIN_REPORT=none", "NO_COLOR=" + value}
			said, passed := run(t.Context(), t, settings, self, "-test.run=^TestShop$", "-ginkgo.focus=has 'one' node")
			if !passed || strings.Contains(said, "\x1b") != colored {
				t.Errorf("NO_COLOR=%s: passed %v, %q", value, passed, said)
			}
		}
	})
	t.Run("says how far it is", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "progress")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv(progress.Variable, file)
		if said, passed := suite(t, "fails", "-ginkgo.focus=has 'one' node"); passed {
			t.Fatal(said)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for line := range bytes.Lines(content) {
			e, err := progress.Decode(line)
			if err != nil {
				t.Fatal(err)
			}
			if e.Work != nil {
				e.Text = fmt.Sprint(e.Work.All, " ", e.Work.Unit)
			}
			told = append(told, strings.TrimSpace(fmt.Sprint(e.Kind, " ", e.Text, " ", e.Outcome)))
		}
		NewWithT(t).Expect(told).To(Equal([]string{"begin 1 specs", "start A shop has 'one' node", "end A shop has 'one' node failed"}))
	})
	t.Run("passes", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "passes")
		g.Expect(passed).To(BeTrue(), said)
		g.Expect(said).To(And(ContainSubstring("4 Passed"), Not(ContainSubstring("has no words"))))
	})

	t.Run("skips a spec that fails because the database has no words for a statement, and counts it", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "wordless")
		g.Expect(passed).To(BeTrue(), said)
		g.Expect(said).To(And(ContainSubstring("3 Passed"), ContainSubstring("1 Skipped"), ContainSubstring("no words for a statement: 1"),
			ContainSubstring("it cannot say the function median: SELECT median(1)")))
	})

	t.Run("fails on another failure after such a statement", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "fails otherwise", "-ginkgo.focus=median")
		g.Expect(passed).To(BeFalse(), said)
		g.Expect(said).To(And(ContainSubstring("1 Failed"), Not(ContainSubstring("no words for a statement"))))
	})

	t.Run("runs nothing in a dry run", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "fails", "-ginkgo.dry-run")
		g.Expect(passed).To(BeTrue(), said)
	})

	t.Run("fails on what a spec leaves behind", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "leaks", "-ginkgo.focus=goroutine")
		g.Expect(passed).To(BeFalse(), said)
		g.Expect(said).To(ContainSubstring("goroutines left when the spec was over"))
	})

	t.Run("prints a line that fails in the same way", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "fails", "-ginkgo.seed=7")
		g.Expect(passed).To(BeFalse(), said)
		g.Expect(said).To(And(ContainSubstring("the cluster when the spec failed"), ContainSubstring(".jsonl")))
		_, rest, found := strings.Cut(said, "to run it again")
		g.Expect(found).To(BeTrue(), said)
		line := strings.TrimSpace(strings.SplitN(rest, "\n", 3)[1])
		g.Expect(line).To(And(HavePrefix("REJOIN_NODES=1 go test "), ContainSubstring("-ginkgo.seed=7 ")))
		again, passed := run(t.Context(), t, []string{beSuite + "=fails", "REJOIN_JOURNALS=none"}, "sh", "-c", line)
		g.Expect(passed).To(BeFalse(), again)
		g.Expect(again).To(And(ContainSubstring("Ran 1 of 4 Specs"), ContainSubstring("has 'one' node"), ContainSubstring("Random Seed: "),
			ContainSubstring("not to equal")))
	})
}
