package again_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/settings"
)

func TestAgain(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Again")
}

var _ = Describe("The line of a spec", func() {
	spec := func(change func(*again.Spec)) again.Spec {
		s := again.Spec{Seed: 17, Text: "A database rests", Cluster: settings.Default().Cluster}
		s.Cluster.Target = "virtual"
		change(&s)
		return s
	}

	DescribeTable("contains what differs from the defaults", func(change func(*again.Spec), line string) {
		Expect(spec(change).Line()).To(Equal(line))
	},
		Entry("a seed and a spec", func(*again.Spec) {}, "make replay SEED=17 SPEC='A database rests'"),
		Entry("a journal", func(s *again.Spec) { s.Journal = "reports/journals/a-1f.jsonl" },
			"make replay SEED=17 SPEC='A database rests' JOURNAL=reports/journals/a-1f.jsonl"),
		Entry("an interleaving and a defect",
			func(s *again.Spec) { s.Cluster.Interleave, s.Cluster.Yield, s.Cluster.Defect = 3, 0.05, "loses-ddl" },
			"make replay SEED=17 SPEC='A database rests' INTERLEAVE=3 YIELD=0.05 DEFECT=loses-ddl"),
		Entry("settings that are not the defaults", func(s *again.Spec) { s.Cluster.Nodes, s.Cluster.Latency = 5, 2*time.Millisecond },
			"REJOIN_NODES=5 REJOIN_LATENCY=2ms make replay SEED=17 SPEC='A database rests'"),
		Entry("not the log level", func(s *again.Spec) { s.Cluster.LogLevel = "debug" }, "make replay SEED=17 SPEC='A database rests'"),
		Entry("a quotation mark", func(s *again.Spec) { s.Text = "it's" }, `make replay SEED=17 SPEC='it'\''s'`),
		Entry("a dollar", func(s *again.Spec) { s.Text = "costs $5" }, `make replay SEED=17 SPEC='costs $$5'`),
	)

	// Run the line through a shell and make, with a Makefile that saves SPEC.
	DescribeTable("passes the text of the spec unchanged", func(ctx SpecContext, text string) {
		if _, err := exec.LookPath("make"); err != nil {
			Skip("make is not installed")
		}
		dir := GinkgoT().TempDir()
		makefile := "replay:\n\t@printf '%s' \"$$SPEC\" >arrived\n"
		Expect(os.WriteFile(filepath.Join(dir, "Makefile"), []byte(makefile), 0o600)).To(Succeed())
		shell := exec.CommandContext(ctx, "sh", "-c", spec(func(s *again.Spec) { s.Text = text }).Line())
		shell.Dir = dir
		said, err := shell.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s", said)
		Expect(os.ReadFile(filepath.Join(dir, "arrived"))).To(BeEquivalentTo(text))
	},
		Entry("plain", SpecTimeout(time.Minute), "A database rests"),
		Entry("with quotation marks", SpecTimeout(time.Minute), `it's "so" `+"`so`"),
		Entry("with dollars", SpecTimeout(time.Minute), "$HOME $(HOME) ${HOME} $$ $5"),
		Entry("with special characters of make and shells", SpecTimeout(time.Minute),
			`a # b \ c % d : e = f; g & h | i > j * k ? [l] {m} ~ n! ^`),
		Entry("with a trailing backslash", SpecTimeout(time.Minute), `ends with \`),
		Entry("with non-ASCII characters", SpecTimeout(time.Minute), "größer – 数据 → 🚀"),
		Entry("with repeated spaces", SpecTimeout(time.Minute), "a  b   c"),
	)
})

var _ = Describe("The line of a schedule", func() {
	It("contains all fields that are set", func() {
		Expect(again.Schedule{Seed: 17}.Line()).To(Equal("make replay CHAOS=1 SEED=17"))
		full := again.Schedule{
			Seed: 17, Without: []string{"wipe", "full disk"}, Journal: "a.jsonl", Interleave: 2, Yield: 1, Defect: "loses-ddl",
		}
		Expect(full.Line()).To(
			Equal("make replay CHAOS=1 SEED=17 WITHOUT='wipe,full disk' JOURNAL=a.jsonl INTERLEAVE=2 YIELD=1 DEFECT=loses-ddl"))
	})

	It("comes with a warning of full sentences if the run was not exact", func() {
		if doubt := again.Doubt(); doubt != "" {
			Expect(doubt).To(HaveSuffix("."))
			Expect(doubt).NotTo(ContainSubstring("\n"))
		}
	})
})

var _ = Describe("The line of any package's spec", func() {
	spec := func(change func(*again.Test)) again.Test {
		t := again.Test{Package: "example.com/shop", Test: "TestShop", Suite: "Shop", Seed: 17, Text: "An order (1) is kept"}
		change(&t)
		return t
	}
	const rest = ` -run='^TestShop$' example.com/shop -ginkgo.seed=17 -ginkgo.focus='^Shop An order \(1\) is kept$'`

	DescribeTable("names what it needs", func(change func(*again.Test), line string) {
		Expect(spec(change).Line()).To(Equal(line))
	},
		Entry("a package, a seed and a spec", func(*again.Test) {}, "go test"+rest),
		Entry("settings", func(t *again.Test) {
			t.Variables = []string{"REJOIN_NODES=5", "REJOIN_DEFECT=loses-ddl", "REJOIN_EMPTY="}
		},
			"REJOIN_NODES=5 REJOIN_DEFECT=loses-ddl REJOIN_EMPTY='' go test"+rest),
		Entry("the race detector and tags", func(t *again.Test) { t.Flags = []string{"-race", "-tags=a,b"} }, "go test -race '-tags=a,b'"+rest),
		Entry("exact replay", func(t *again.Test) { t.Exact = true },
			"GODEBUG=asyncpreemptoff=1 go run github.com/rejoin-db/rejoin/harness/cmd/exact go test"+rest),
	)

	It("says which package this is", func() {
		path, _ := again.Built()
		Expect(path).To(Equal("github.com/rejoin-db/rejoin/harness/again"))
	})
})
