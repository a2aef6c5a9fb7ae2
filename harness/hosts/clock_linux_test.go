package hosts_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

// ticking says the time and what its timers measure, every 10 ms.
const ticking = `
#include <stdio.h>
#include <time.h>
#include <unistd.h>
int main(void) {
	for (;;) {
		struct timespec before, after, real;
		clock_gettime(CLOCK_MONOTONIC, &before);
		usleep(10000);
		clock_gettime(CLOCK_MONOTONIC, &after);
		clock_gettime(CLOCK_REALTIME, &real);
		printf("%ld %ld\n", (long)real.tv_sec,
			(long)((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000));
		fflush(stdout);
	}
}`

// built compiles a C program, or skips.
func built(ctx context.Context, source string, flags ...string) string {
	GinkgoHelper()
	if _, err := exec.LookPath("gcc"); err != nil {
		Skip("there is no gcc: " + err.Error())
	}
	file := filepath.Join(GinkgoT().TempDir(), "program")
	Expect(os.WriteFile(file+".c", []byte(source), 0o644)).To(Succeed())
	out, err := exec.CommandContext(ctx, "gcc", append(flags, "-o", file, file+".c")...).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", out)
	return file
}

// withClock returns a host whose clock can be set, or skips.
func withClock(ctx context.Context) *hosts.Host {
	GinkgoHelper()
	h := newHost(ctx, newNetwork(), "a")
	err := h.SetClock(ctx, 0)
	if errors.Is(err, hosts.ErrNoClock) {
		Skip(err.Error())
	}
	Expect(err).NotTo(HaveOccurred())
	return h
}

// shows returns by how much the time in a text is ahead, in seconds.
func shows(text string) int64 {
	seconds, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return seconds - time.Now().Unix()
}

var _ = Describe("a host's clock", func() {
	It("is ahead or behind for the programs that start on the host", func(ctx SpecContext) {
		h := withClock(ctx)
		for _, ahead := range []time.Duration{0, time.Hour, -24 * time.Hour, 0} {
			Expect(h.SetClock(ctx, ahead)).To(Succeed())
			out, _ := run(ctx, h, "date +%s")
			Expect(shows(out)).To(BeNumerically("~", ahead/time.Second, 3))
		}
		Expect(h.SetClock(ctx, time.Hour)).To(Succeed())
		Expect(h.CutPower(ctx)).To(Succeed())
		out, _ := run(ctx, h, "date +%s")
		Expect(shows(out)).To(BeNumerically("~", 3600, 3))
	}, SpecTimeout(time.Minute))

	It("jumps for programs that run, and their timers go on", func(ctx SpecContext) {
		h := withClock(ctx)
		must(h.Start(ctx, hosts.Command{Path: built(ctx, ticking)}))
		last := func(g Gomega) (ahead, slept int64) {
			log, err := h.Log(1000)
			g.Expect(err).NotTo(HaveOccurred())
			lines := strings.Split(strings.TrimSpace(log), "\n")
			clock, timer, both := strings.Cut(lines[len(lines)-1], " ")
			g.Expect(both).To(BeTrue(), log)
			slept, err = strconv.ParseInt(timer, 10, 64)
			g.Expect(err).NotTo(HaveOccurred())
			return shows(clock), slept
		}
		for _, ahead := range []time.Duration{0, time.Hour, -time.Hour} {
			Expect(h.SetClock(ctx, ahead)).To(Succeed())
			Eventually(ctx, func(g Gomega) {
				shown, slept := last(g)
				g.Expect(shown).To(BeNumerically("~", ahead/time.Second, 3))
				g.Expect(slept).To(BeNumerically("~", 10, 5*time.Second/time.Millisecond))
				g.Expect(slept).To(BeNumerically(">=", 10))
			}).Should(Succeed())
		}
	}, SpecTimeout(time.Minute))

	It("cannot be set for a static program, which is named", func(ctx SpecContext) {
		h := withClock(ctx)
		program := built(ctx, ticking, "-static")
		p := must(h.Start(ctx, hosts.Command{Path: program}))
		err := h.SetClock(ctx, time.Hour)
		Expect(err).To(MatchError(hosts.ErrNoClock))
		Expect(err).To(MatchError(And(ContainSubstring("static program"), ContainSubstring(program))))
		Expect(h.SetClock(ctx, 0)).To(Succeed())
		Expect(h.Kill(ctx)).To(Succeed())
		Eventually(ctx, p.Done()).Should(BeClosed())
		Expect(h.SetClock(ctx, time.Hour)).To(Succeed())
		_, err = h.Start(ctx, hosts.Command{Path: program})
		Expect(err).To(MatchError(hosts.ErrNoClock))
	}, SpecTimeout(time.Minute))

	It("cannot be set for a Go program, or one that was started too early", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		must(h.Start(ctx, hosts.Command{Path: "sleep", Args: []string{"1000"}}))
		if err := h.SetClock(ctx, 0); err != nil {
			Skip(err.Error())
		}
		Expect(h.SetClock(ctx, time.Hour)).To(MatchError(ContainSubstring("started before the first SetClock")))
		Expect(h.Kill(ctx)).To(Succeed())
		Expect(h.SetClock(ctx, time.Hour)).To(Succeed())
		_, err := h.Start(ctx, hosts.Command{Path: must(os.Executable())})
		Expect(err).To(MatchError(ContainSubstring("it is a Go program")))
	}, SpecTimeout(time.Minute))
})
