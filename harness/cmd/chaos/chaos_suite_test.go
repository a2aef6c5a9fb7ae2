package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func TestChaos(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command chaos")
}

const patience = SpecTimeout(3 * time.Minute)

// load reads a saved journal.
func load(path string) (journal.Header, []journal.Event) {
	GinkgoHelper()
	file, err := os.Open(path)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	header, events, err := journal.Load(file)
	Expect(err).NotTo(HaveOccurred())
	return header, events
}

var _ = Describe("The command", Ordered, func() {
	var binary string

	BeforeAll(func() {
		var err error
		binary, err = gexec.Build("github.com/rejoin-db/rejoin/harness/cmd/chaos")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(gexec.CleanupBuildArtifacts)
	})

	run := func(args ...string) *gexec.Session {
		GinkgoHelper()
		session, err := gexec.Start(exec.Command(binary, args...), GinkgoWriter, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(session.Kill)
		return session
	}

	It("looks for failures, and reports what it did", func(ctx SpecContext) {
		session := run("-seed", "5", "-for", "2s")
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
		Expect(session.Out).To(gbytes.Say(`schedules, .* of cluster time in .*: 0 failures\n`))
		Expect(session.Out).To(gbytes.Say(`operations: [1-9]\d* ok`))
		Expect(session.Out).To(gbytes.Say(`never reached: `))
		Expect(session.Err).To(gbytes.Say(`seeds from 5 on`))
	}, patience)

	It("chooses a seed if none is given, and prints it", func(ctx SpecContext) {
		session := run("-for", "1s")
		Eventually(session.Err).WithContext(ctx).WithTimeout(time.Minute).Should(gbytes.Say(`seeds from [1-9]\d* on`))
		session.Interrupt()
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit())
	}, patience)

	It("ends cleanly when it is interrupted", func(ctx SpecContext) {
		session := run("-seed", "5", "-for", "1h")
		Eventually(session.Err).WithContext(ctx).WithTimeout(time.Minute).Should(gbytes.Say(`[1-9]\d* schedules`))
		session.Interrupt()
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
		Expect(session.Out).To(gbytes.Say(`0 failures`))
	}, patience)

	It("runs one schedule, and writes its journal", func(ctx SpecContext) {
		path := filepath.Join(GinkgoT().TempDir(), "journal.jsonl")
		session := run("-once", "-seed", "5", "-journal", path, "-interleave", "2")
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
		Expect(session.Out).To(gbytes.Say(`seed 5 passed: [1-9]`))
		header, events := load(path)
		Expect(header).To(And(HaveField("Seed", BeEquivalentTo(5)), HaveField("Target", "virtual")))
		Expect(events).To(ContainElement(HaveField("Kind", journal.Boot)))
		Expect(events[len(events)-1]).To(And(
			HaveField("Kind", journal.Spec), HaveField("Spec.State", journal.Passed), HaveField("At.Year()", 2000)))
	}, patience)

	It("prints the commands that run a failure again, and keeps its journal", func(ctx SpecContext) {
		folder := GinkgoT().TempDir()
		session := run("-seed", "5", "-for", "2m", "-defect", "loses-ddl", "-shrink-runs", "3", "-yield", "0.5", "-journals", folder,
			"-without", "wipe,full disk")
		Eventually(session).WithContext(ctx).WithTimeout(2 * time.Minute).Should(gexec.Exit(1))
		Expect(session.Out).To(gbytes.Say(`Again:
  make replay CHAOS=1 SEED=\d+ WITHOUT='wipe,full disk' JOURNAL=.*jsonl YIELD=0.5 DEFECT=loses-ddl
`))
		Expect(session.Out).To(gbytes.Say(`harness/cmd/exact go run ./harness/cmd/chaos -seed \d+ ` +
			`-target virtual -without "wipe,full disk" -yield=0.5 -defect=loses-ddl`))
		Expect(session.Out).To(gbytes.Say(`virtual.Seed\(\d+\), virtual.Yield\(0.5\)`))
		journals, err := filepath.Glob(filepath.Join(folder, "chaos-virtual-*.jsonl"))
		Expect(err).NotTo(HaveOccurred())
		Expect(journals).To(HaveLen(1))
		_, events := load(journals[0])
		Expect(events[len(events)-1]).To(And(HaveField("Spec.State", "failed"), HaveField("Err", Not(BeEmpty()))))
	}, patience)

	DescribeTable("is used wrongly", func(ctx SpecContext, why string, args ...string) {
		session := run(args...)
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(2))
		Expect(session.Err).To(gbytes.Say(why))
	},
		Entry("with an unknown target", patience, `unknown target "moon"`, "-target", "moon"),
		Entry("with no time", patience, "-for must be positive", "-for", "0s"),
		Entry("with words", patience, `unexpected argument "please"`, "please"),
		Entry("without an unknown kind", patience, `there is no kind "flood"`, "-without", "flood"),
		Entry("without a seed for one schedule", patience, "-once needs the -seed", "-once"),
		Entry("with a journal of many schedules", patience, "-journal needs -once", "-journal", "a.jsonl"),
		Entry("with a yield above 1", patience, "-yield 2 is not a probability", "-yield", "2"),
		Entry("with an order of goroutines in real time", patience, "-interleave and -yield need virtual time",
			"-target", "local", "-interleave", "1"),
		Entry("with an unknown bug", patience, `there is no defect "moth"`, "-defect", "moth"),
		Entry("with an unknown flag", patience, "flag provided but not defined", "-speed", "9"),
	)

	It("shows its flags and the kinds of faults", func(ctx SpecContext) {
		session := run("-h")
		Eventually(ctx, session).WithTimeout(time.Minute).Should(gexec.Exit(0))
		Expect(session.Err).To(gbytes.Say(`-without`))
		Expect(session.Err).To(gbytes.Say(`slow link +delays every message on a link`))
	}, patience)

	It("serves as its own worker", func(ctx SpecContext) {
		cmd := exec.Command(binary, "-worker", GinkgoT().TempDir())
		in, err := cmd.StdinPipe()
		Expect(err).NotTo(HaveOccurred())
		session, err := gexec.Start(cmd, GinkgoWriter, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(session.Kill)
		schedule := `{"seed":1,"nodes":3,"pace_ns":1000000000,"workloads":["register"],"clients":1,"rate":1,"length_ns":20000000000}`
		Expect(in.Write([]byte(schedule + "\n"))).To(BeNumerically(">", 0))
		Eventually(session.Out).WithContext(ctx).WithTimeout(time.Minute).Should(gbytes.Say(`"tally":\{"OK":[1-9]`))
		Expect(in.Close()).To(Succeed())
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
	}, patience)
})
