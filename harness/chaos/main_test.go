package chaos_test

import (
	"os"
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/local"
)

// asMain in the environment makes the test's binary a program that only calls Main: of a sound target, or of
// one with a planted bug.
const asMain = "REJOIN_TEST_CHAOS_MAIN"

func main() {
	switch os.Getenv(asMain) {
	case "sound":
		chaos.Main(local.New(local.Options{}))
	case "sick":
		bug, err := defects.Find("loses-ddl")
		if err != nil {
			panic(err)
		}
		t, err := bug.Plant(local.New(local.Options{}))
		if err != nil {
			panic(err)
		}
		space := chaos.Real()
		space.Workloads = []string{"ddl"}
		os.Exit(chaos.Hunt{Target: t, Space: space}.Main())
	}
}

var _ = Describe("A program that calls Main", func() {
	start := func(as string, environment []string, args ...string) *gexec.Session {
		GinkgoHelper()
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(append(os.Environ(), asMain+"="+as), environment...)
		session, err := gexec.Start(cmd, GinkgoWriter, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(session.Kill)
		return session
	}

	It("looks for failures of the target, with flags", func(ctx SpecContext) {
		session := start("sound", nil, "-seed", "3", "-for", "2s")
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
		Expect(session.Err).To(gbytes.Say(`chaos: target \*local.Target, seeds from 3 on, for 2s`))
		Expect(session.Out).To(gbytes.Say(`schedules, .* of cluster time in .*: 0 failures\n`))
	}, patience)

	It("runs one schedule", func(ctx SpecContext) {
		session := start("sound", nil, "-seed", "3", "-once")
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
		Expect(session.Out).To(gbytes.Say(`seed 3 passed: \d+ operations ok`))
	}, patience)

	It("prints a failure as a spec, with the command that runs it again, as a test", func(ctx SpecContext) {
		session := start("sick", []string{"SEED=1", "FOR=1m", "SHRINK=1s"}, "-test.v=true")
		Eventually(session).WithContext(ctx).WithTimeout(2 * time.Minute).Should(gexec.Exit(1))
		Expect(session.Out).To(gbytes.Say(`FAILED safety: `))
		Expect(session.Out).To(gbytes.Say(`Again:\n  SEED=\d+ go test -count=1 github.com/rejoin-db/rejoin/harness/chaos\n`))
		Expect(session.Out).To(gbytes.Say(`Shrunk from \d+ faults to \d+:`))
		Expect(session.Out).To(gbytes.Say(`chaos.Boot\(ctx, yourTarget, schedule, options\)`))
	}, SpecTimeout(3*time.Minute))

	DescribeTable("is used wrongly", func(ctx SpecContext, why string, environment []string, args ...string) {
		session := start("sound", environment, args...)
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(2))
		Expect(session.Err).To(gbytes.Say(why))
	},
		Entry("with a word", patience, `unexpected argument "please"`, nil, "please"),
		Entry("with an unknown flag", patience, "flag provided but not defined", nil, "-speed", "9"),
		Entry("with a variable that is no number", patience, "SEED=one: ", []string{"SEED=one"}, "-test.v=true"),
		Entry("with less than no time", patience, "must not be negative", []string{"FOR=-1s"}, "-test.v=true"),
		Entry("without a seed for one schedule", patience, "-once needs the -seed", nil, "-once"),
	)
})
