package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// With this variable set, the test binary is the command itself.
const beCommand = "TEST_BE_THE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(beCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestCluster(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	RunSpecs(t, "Command cluster")
}

const patience = SpecTimeout(time.Minute)

// running is a running process of the command.
type running struct {
	*exec.Cmd
	lines  []string // output up to the description of the third node
	errors *bytes.Buffer
}

var _ = Describe("The command", func() {
	var temp string
	BeforeEach(func() {
		var err error
		temp, err = os.MkdirTemp("", "of-cluster-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, temp)
	})

	environment := func() []string {
		return append(os.Environ(), beCommand+"=yes", "TMPDIR="+temp)
	}
	// start starts the command and reads its output up to the description of the third node.
	start := func(command *exec.Cmd) *running {
		GinkgoHelper()
		r := &running{Cmd: command, errors: new(bytes.Buffer)}
		r.Env, r.Stderr = environment(), io.MultiWriter(r.errors, GinkgoWriter)
		r.Dir = filepath.Join("..", "..", "..")
		stdout, err := r.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Start()).To(Succeed())
		DeferCleanup(func() { _ = r.Process.Kill() })
		out := bufio.NewScanner(stdout)
		for told := 0; told < 3 && out.Scan(); {
			r.lines = append(r.lines, out.Text())
			if strings.HasSuffix(out.Text(), "/v1/api/cluster/health") {
				told++
			}
		}
		Expect(out.Err()).NotTo(HaveOccurred())
		Expect(r.lines).To(ContainElement("3 nodes are online. Ctrl-C stops them."), r.errors.String())
		return r
	}
	self := func(ctx context.Context, args ...string) *exec.Cmd {
		GinkgoHelper()
		path, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		return exec.CommandContext(ctx, path, args...)
	}
	run := func(ctx context.Context, args ...string) *running {
		GinkgoHelper()
		return start(self(ctx, args...))
	}
	addresses := func(r *running) (found []string) {
		for _, line := range r.lines {
			if m := regexp.MustCompile(`^node \d \(n\d\), (?:leader|follower): http://(\S+)$`).FindStringSubmatch(line); m != nil {
				found = append(found, m[1])
			}
		}
		return found
	}
	ask := func(ctx context.Context, address, token string) int {
		GinkgoHelper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v1/api/cluster/health", nil)
		Expect(err).NotTo(HaveOccurred())
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.Body.Close()).To(Succeed())
		return response.StatusCode
	}
	tokenOfLines := func(r *running) string {
		GinkgoHelper()
		m := regexp.MustCompile(`Authorization: Bearer (\S+)'`).FindStringSubmatch(strings.Join(r.lines, "\n"))
		Expect(m).NotTo(BeNil())
		return m[1]
	}
	pageOf := func(r *running) (address, token string) {
		GinkgoHelper()
		m := regexp.MustCompile(`^Play with the cluster in a browser: (http://127\.0\.0\.1:\d+)/#token=(\S+)$`).FindStringSubmatch(r.lines[0])
		Expect(m).NotTo(BeNil(), r.lines[0])
		return m[1], m[2]
	}
	nothingIsLeft := func() {
		GinkgoHelper()
		Expect(os.ReadDir(temp)).To(BeEmpty())
	}

	It("generates a token, and prints commands that work", func(ctx SpecContext) {
		if _, err := exec.LookPath("curl"); err != nil {
			Skip("curl is not installed")
		}
		r := run(ctx)
		Expect(addresses(r)).To(HaveLen(3))
		tried := 0
		for _, line := range r.lines {
			if !strings.HasPrefix(strings.TrimSpace(line), "curl") {
				continue
			}
			tried++
			said, err := exec.CommandContext(ctx, "/bin/sh", "-c", line).Output()
			Expect(err).NotTo(HaveOccurred(), line)
			Expect(string(said)).To(Or(ContainSubstring(`"status":"success"`), ContainSubstring(`"state":"online"`)), line)
		}
		Expect(tried).To(Equal(6))
		Expect(r.Process.Signal(os.Interrupt)).To(Succeed())
		Expect(r.Wait()).To(Succeed())
		nothingIsLeft()
	}, patience)

	It("requires the token, unless -open is given", func(ctx SpecContext) {
		drawn := run(ctx)
		token := tokenOfLines(drawn)
		Expect(len(token)).To(BeNumerically(">=", 20))
		for _, address := range addresses(drawn) {
			Expect(ask(ctx, address, "")).To(Equal(http.StatusUnauthorized))
			Expect(ask(ctx, address, token)).To(Equal(http.StatusOK))
		}
		given := run(ctx, "-token", "it's mine")
		Expect(strings.Join(given.lines, "\n")).To(ContainSubstring(`'Authorization: Bearer it'\''s mine'`))
		Expect(ask(ctx, addresses(given)[0], token)).To(Equal(http.StatusUnauthorized))
		Expect(ask(ctx, addresses(given)[0], "it's mine")).To(Equal(http.StatusOK))
		open := run(ctx, "-open")
		Expect(open.lines).NotTo(ContainElement(ContainSubstring("Bearer")))
		Expect(ask(ctx, addresses(open)[0], "")).To(Equal(http.StatusOK))
		both := self(ctx, "-open", "-token", "x")
		both.Env, both.Dir = environment(), filepath.Join("..", "..", "..")
		said, err := both.CombinedOutput()
		Expect(err).To(MatchError("exit status 1"))
		Expect(string(said)).To(ContainSubstring("-open and -token exclude each other"))
	}, patience)

	It("serves a page with a token of its own, and prints its address first", func(ctx SpecContext) {
		r := run(ctx, "-open")
		address, token := pageOf(r)
		Expect(len(token)).To(BeNumerically(">=", 20))
		state := func(token string) (status int, body string) {
			GinkgoHelper()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/state?since=0", nil)
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(request)
			Expect(err).NotTo(HaveOccurred())
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			Expect(err).NotTo(HaveOccurred())
			return response.StatusCode, string(text)
		}
		status, _ := state("another")
		Expect(status).To(Equal(http.StatusUnauthorized))
		status, body := state(token)
		Expect(status).To(Equal(http.StatusOK))
		Expect(body).To(ContainSubstring(`"target":"local"`))
		Expect(r.Process.Signal(os.Interrupt)).To(Succeed())
		Expect(r.Wait()).To(Succeed())
		nothingIsLeft()
		bare := run(ctx, "-page", "-1")
		Expect(bare.lines).NotTo(ContainElement(ContainSubstring("browser")))
	}, patience)

	It("runs nodes as processes, too, and refuses virtual time", func(ctx SpecContext) {
		r := run(ctx, "-rejoin.target=process")
		Expect(addresses(r)).To(HaveLen(3))
		Expect(ask(ctx, addresses(r)[0], tokenOfLines(r))).To(Equal(http.StatusOK))
		Expect(r.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(r.Wait()).To(Succeed())
		nothingIsLeft()
		virtual := self(ctx, "-rejoin.target=virtual")
		virtual.Env, virtual.Dir = environment(), filepath.Join("..", "..", "..")
		said, err := virtual.CombinedOutput()
		Expect(err).To(MatchError("exit status 1"))
		Expect(string(said)).To(ContainSubstring("take local, process or hosts"))
	}, patience)

	DescribeTable("stops and removes its files at", func(ctx SpecContext, signal syscall.Signal) {
		r := run(ctx)
		Expect(os.ReadDir(temp)).To(HaveLen(1))
		Expect(r.Process.Signal(signal)).To(Succeed())
		Expect(r.Wait()).To(Succeed())
		nothingIsLeft()
	},
		Entry("Ctrl-C", syscall.SIGINT, patience),
		Entry("SIGTERM", syscall.SIGTERM, patience),
		Entry("the end of its terminal", syscall.SIGHUP, patience),
	)

	It("removes the files of a killed command, but not those of a running one", func(ctx SpecContext) {
		dead, alive := run(ctx), run(ctx)
		Expect(dead.Process.Kill()).To(Succeed())
		Expect(dead.Wait()).To(MatchError("signal: killed"))
		Expect(os.ReadDir(temp)).To(HaveLen(2))
		next := run(ctx)
		Expect(os.ReadDir(temp)).To(HaveLen(2), "the directories of the two that run")
		Expect(ask(ctx, addresses(alive)[0], tokenOfLines(alive))).To(Equal(http.StatusOK))
		for _, r := range []*running{alive, next} {
			Expect(r.Process.Signal(syscall.SIGTERM)).To(Succeed())
			Expect(r.Wait()).To(Succeed())
		}
		nothingIsLeft()
	}, patience)

	DescribeTable("ends with the go command that runs it", func(ctx SpecContext, signal syscall.Signal) {
		shell, err := os.ReadFile("/bin/sh")
		Expect(err).NotTo(HaveOccurred())
		bin := GinkgoT().TempDir()
		command := filepath.Join(bin, "go")
		Expect(os.WriteFile(command, shell, 0o700)).To(Succeed())
		path, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		r := start(exec.CommandContext(ctx, command, "-c", `"$0" & echo "pid $!"; wait`, path))
		pid := 0
		for _, line := range r.lines {
			if number, is := strings.CutPrefix(line, "pid "); is {
				pid, err = strconv.Atoi(number)
				Expect(err).NotTo(HaveOccurred())
			}
		}
		Expect(pid).To(BeNumerically(">", 1))
		Expect(r.Process.Signal(signal)).To(Succeed())
		Expect(r.Wait()).NotTo(Succeed())
		Eventually(ctx, func() ([]os.DirEntry, error) { return os.ReadDir(temp) }).Should(BeEmpty())
		Eventually(ctx, func() error { return syscall.Kill(pid, 0) }).Should(MatchError(syscall.ESRCH))
	},
		Entry("when that is terminated", syscall.SIGTERM, patience),
		Entry("when that is killed", syscall.SIGKILL, patience),
	)
})
