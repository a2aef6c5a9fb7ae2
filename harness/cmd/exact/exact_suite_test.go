package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

func TestExact(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command exact")
}

const patience = SpecTimeout(3 * time.Minute)

// needsExact skips a spec if the patches do not fit this Go. If they should fit, the specs of package replay fail.
func needsExact(ctx context.Context) {
	GinkgoHelper()
	toolchain, err := replay.Prepare(ctx)
	Expect(err).NotTo(HaveOccurred())
	if !toolchain.Exact {
		Skip(toolchain.Why)
	}
}

var _ = Describe("The command", Ordered, func() {
	var binary string

	BeforeAll(func() {
		var err error
		binary, err = gexec.Build("github.com/rejoin-db/rejoin/harness/cmd/exact")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(gexec.CleanupBuildArtifacts)
	})

	var cache string // separate from the user's cache

	BeforeEach(func(ctx SpecContext) {
		for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOENV"} { // their defaults depend on HOME
			value, err := exec.CommandContext(ctx, "go", "env", name).Output()
			Expect(err).NotTo(HaveOccurred())
			GinkgoT().Setenv(name, strings.TrimSpace(string(value)))
		}
		cache = GinkgoT().TempDir()
		GinkgoT().Setenv("HOME", cache) // for systems without XDG_CACHE_HOME
		GinkgoT().Setenv("XDG_CACHE_HOME", cache)
	})

	command := func(args ...string) *exec.Cmd { return exec.Command(binary, args...) }

	start := func(cmd *exec.Cmd) *gexec.Session {
		GinkgoHelper()
		session, err := gexec.Start(cmd, GinkgoWriter, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(session.Kill)
		return session
	}

	run := func(ctx context.Context, cmd *exec.Cmd, code int) (out, problems string) {
		GinkgoHelper()
		session := start(cmd)
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(code))
		return string(session.Out.Contents()), string(session.Err.Contents())
	}

	It("passes environment, input and output to the command, and prints nothing itself", func(ctx SpecContext) {
		needsExact(ctx)
		cmd := command("sh", "-c", `cat; echo "$GODEBUG $GOTOOLCHAIN $GOFLAGS"; echo wrong >&2`)
		cmd.Stdin = strings.NewReader("in\n")
		out, problems := run(ctx, cmd, 0)
		Expect(out).To(MatchRegexp(`^in\n(.*,)?asyncpreemptoff=1 local .*-overlay=.*overlay\.json'?\n$`))
		Expect(problems).To(Equal("wrong\n"))
	}, patience)

	It("runs the patched go command", func(ctx SpecContext) {
		needsExact(ctx)
		out, problems := run(ctx, command("go", "list", "-f", "{{.GoFiles}}", "runtime"), 0)
		Expect(out).To(ContainSubstring(" rejoin.go "))
		Expect(problems).To(BeEmpty())
	}, patience)

	It("returns the command's exit code", func(ctx SpecContext) {
		run(ctx, command("sh", "-c", "exit 125"), 125)
	}, patience)

	DescribeTable("passes a signal on once, and runs until the command ends", func(
		ctx SpecContext, name string, number syscall.Signal, group bool,
	) {
		end := filepath.Join(cache, "end") // the command ends when this file exists
		cmd := command("sh", "-c", `trap 'echo signal' `+name+`; echo ready; until [ -e "$0" ]; do :; done; exit 7`, end)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		session := start(cmd)
		Eventually(session.Out).WithContext(ctx).WithTimeout(time.Minute).Should(gbytes.Say("ready\n"))
		to := cmd.Process.Pid
		if group {
			to = -to // as a terminal sends ^C
		}
		Expect(syscall.Kill(to, number)).To(Succeed())
		Eventually(session.Out).WithContext(ctx).WithTimeout(time.Minute).Should(gbytes.Say("signal\n"))
		Expect(session).NotTo(gexec.Exit())
		Expect(os.WriteFile(end, nil, 0o666)).To(Succeed())
		Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(7))
		Expect(string(session.Out.Contents())).To(Equal("ready\nsignal\n"))
	},
		Entry("^C", patience, "INT", syscall.SIGINT, true),
		Entry("SIGINT", patience, "INT", syscall.SIGINT, false),
		Entry("SIGTERM", patience, "TERM", syscall.SIGTERM, false),
		Entry("SIGHUP", patience, "HUP", syscall.SIGHUP, false),
		Entry("SIGUSR1", patience, "USR1", syscall.SIGUSR1, false),
	)

	It("prints the environment for a shell", func(ctx SpecContext) {
		needsExact(ctx)
		GinkgoT().Setenv("GOFLAGS", "-ldflags=-X=main.a=it's")
		GinkgoT().Setenv("GODEBUG", "")
		out, problems := run(ctx, command("-print"), 0)
		Expect(problems).To(BeEmpty())
		Expect(out).To(MatchRegexp(`(?m)^export GODEBUG='asyncpreemptoff=1'$`))
		said, err := exec.CommandContext(ctx, "sh", "-c", out+`printf '%s' "$GOFLAGS"`).Output()
		Expect(err).NotTo(HaveOccurred())
		Expect(string(said)).To(HavePrefix(`"-ldflags=-X=main.a=it's" -overlay=` + cache))
	}, patience)

	It("changes nothing in an environment that is already prepared", func(ctx SpecContext) {
		needsExact(ctx)
		out, problems := run(ctx, command(binary, "-print"), 0)
		Expect(out + problems).To(BeEmpty())
	}, patience)

	It("supports concurrent processes that make the overlay", func(ctx SpecContext) {
		needsExact(ctx)
		Expect(os.RemoveAll(filepath.Join(cache, "rejoin"))).To(Succeed())
		var sessions []*gexec.Session
		for range 4 {
			sessions = append(sessions, start(command("-print")))
		}
		for _, session := range sessions {
			Eventually(session).WithContext(ctx).WithTimeout(time.Minute).Should(gexec.Exit(0))
			Expect(session.Err.Contents()).To(BeEmpty())
			Expect(string(session.Out.Contents())).To(Equal(string(sessions[0].Out.Contents())))
		}
		Expect(filepath.Glob(filepath.Join(cache, "rejoin", "replay", "*"))).To(HaveLen(1), "one overlay, and no half-made folder")
	}, patience)

	It("warns in one line that replay is not exact, and runs the command", func(ctx SpecContext) {
		GinkgoT().Setenv("GOFLAGS", "-overlay=mine.json")
		out, problems := run(ctx, command("sh", "-c", `echo "$GOFLAGS"; exit 3`), 3)
		Expect(out).To(Equal("-overlay=mine.json\n"))
		Expect(problems).To(Equal("exact: replay is not exact: " +
			"GOFLAGS already has an overlay, and the go command accepts only one: -overlay=mine.json\n"))
	}, patience)

	It("reports that it cannot run a command", func(ctx SpecContext) {
		_, problems := run(ctx, command("no-such-command"), 127)
		Expect(problems).To(HavePrefix("exact: run no-such-command: "))
		Expect(strings.Count(problems, "\n")).To(Equal(1))
	}, patience)

	It("reports that there is no go command", func(ctx SpecContext) {
		GinkgoT().Setenv("PATH", GinkgoT().TempDir())
		_, problems := run(ctx, command("true"), 1)
		Expect(problems).To(HavePrefix("exact: find the go command: "))
	}, patience)

	It("reports wrong usage", func(ctx SpecContext) {
		_, problems := run(ctx, command(), 2)
		Expect(problems).To(HavePrefix("exact: no command given\n\nusage: exact"))
		_, problems = run(ctx, command("-prnt"), 2)
		Expect(problems).To(HavePrefix("flag provided but not defined: -prnt\nusage: exact"))
	}, patience)

	It("passes the command's own flags on", func(ctx SpecContext) {
		out, _ := run(ctx, command("echo", "-print"), 0)
		Expect(out).To(Equal("-print\n"))
	}, patience)

	It("shows its usage", func(ctx SpecContext) {
		out, problems := run(ctx, command("-h"), 0)
		Expect(out + problems).To(HavePrefix("usage: exact [-print] COMMAND"))
	}, patience)
})

var _ = Describe("A suite that ginkgo builds", func() {
	It("has the patched runtime", func(ctx SpecContext) {
		needsExact(ctx)
		dir := GinkgoT().TempDir()
		binary := filepath.Join(dir, "bubble.test")
		cmd := exec.CommandContext(ctx, "go", "run", ".", "go", "tool", "ginkgo", "build", "-o", binary, "../../virtual/replay/testdata/bubble")
		said, err := cmd.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(said))
		content, err := os.ReadFile(binary)
		Expect(err).NotTo(HaveOccurred())
		Expect(bytes.Contains(content, fmt.Append(nil, "runtime/rejoin.go"))).To(BeTrue(), "the file added to the runtime")
	}, SpecTimeout(10*time.Minute))
})
