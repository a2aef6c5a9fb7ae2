package specs_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/local"
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
	})
	specs.Run(t, "Shop")
}

// run runs the command and returns what it wrote, and whether it passed.
func run(ctx context.Context, t *testing.T, environment []string, name string, args ...string) (string, bool) {
	t.Helper()
	command := exec.CommandContext(ctx, name, args...)
	command.Env, command.Dir = append(os.Environ(), environment...), ".."
	said, err := command.CombinedOutput()
	return string(said), err == nil
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
		return run(t.Context(), t, settings, self, append([]string{"-test.run=^TestShop$", "-ginkgo.no-color"}, args...)...)
	}

	t.Run("passes", func(t *testing.T) {
		g := NewWithT(t)
		said, passed := suite(t, "passes")
		g.Expect(passed).To(BeTrue(), said)
		g.Expect(said).To(ContainSubstring("3 Passed"))
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
		g.Expect(again).To(And(ContainSubstring("Ran 1 of 3 Specs"), ContainSubstring("has 'one' node"), ContainSubstring("Random Seed: "),
			ContainSubstring("not to equal")))
	})
}
