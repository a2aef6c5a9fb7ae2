package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// reported returns the report of a spec.
func reported(text string, state types.SpecState) types.SpecReport {
	r := types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: state, NumAttempts: 1}
	if state == types.SpecStateSkipped || state.Is(types.SpecStateFailureStates) {
		r.Failure.Message = "because"
	}
	return r
}

var _ = Describe("A report of the suite", func() {
	notChosen := reported("other", types.SpecStateSkipped)
	notChosen.NumAttempts = 0
	setUp := types.SpecReport{LeafNodeType: types.NodeTypeBeforeSuite, State: types.SpecStatePassed}

	DescribeTable("yields", func(spec string, failed bool, says string, specs ...types.SpecReport) {
		p, err := outcome(types.Report{SpecReports: append(specs, notChosen, setUp)}, spec)
		Expect(err).NotTo(HaveOccurred())
		Expect(p.failed).To(Equal(failed))
		Expect(p.said).To(ContainSubstring(says))
	},
		Entry("that the spec passes", "it", false, "the spec passes", reported("it", types.SpecStatePassed)),
		Entry("that the spec fails", "it", true, "the spec fails (failed), at :0:\n  because", reported("it", types.SpecStateFailed)),
		Entry("that the spec hangs", "it", true, "the spec fails (timedout)", reported("it", types.SpecStateTimedout)),
		Entry("that the spec panics", "it", true, "the spec fails (panicked)", reported("it", types.SpecStatePanicked)),
		Entry("that all pass", "", false, "2 specs pass",
			reported("it", types.SpecStatePassed), reported("that", types.SpecStatePassed)),
		Entry("which of all fail", "", true, "2 of 2 specs fail; the first: the spec it fails",
			reported("it", types.SpecStateFailed), reported("that", types.SpecStateFailed)),
	)

	DescribeTable("is inconclusive about a spec", func(why string, specs ...types.SpecReport) {
		_, err := outcome(types.Report{SpecReports: append(specs, notChosen)}, "it")
		Expect(err).To(MatchError(ContainSubstring(why)))
	},
		Entry("that does not exist", `there is no spec "it"`),
		Entry("that skips itself", "the spec skips itself: because", reported("it", types.SpecStateSkipped)),
		Entry("that was interrupted", "was interrupted", reported("it", types.SpecStateInterrupted)),
	)
})

var _ = Describe("A program", func() {
	// fake returns a program that is a shell script.
	fake := func(s settings, script string) *program {
		GinkgoHelper()
		s.limit = time.Minute
		p := &program{settings: s, root: GinkgoT().TempDir()}
		p.binary = filepath.Join(p.root, "program")
		Expect(os.WriteFile(p.binary, []byte("#!/bin/sh\n"+script+"\n"), 0o700)).To(Succeed())
		return p
	}
	report := func(state types.SpecState) string {
		content, err := json.Marshal([]types.Report{{SpecReports: []types.SpecReport{reported("it", state)}}})
		Expect(err).NotTo(HaveOccurred())
		return `for a; do case "$a" in -ginkgo.json-report=*) printf '%s' '` + string(content) + `' >"${a#*=}";; esac; done`
	}

	It("leaves a report and journals", func(ctx SpecContext) {
		journal := write(GinkgoT().TempDir(), "a.jsonl", journalOf("it", "failed", "x"))
		p := fake(settings{spec: "it"}, report(types.SpecStateFailed)+"\ncp "+journal+" $REJOIN_JOURNAL_FOLDER\nexit 1")
		one, err := p.play(ctx, filepath.Join(p.root, "run"))
		Expect(err).NotTo(HaveOccurred())
		Expect(one.failed).To(BeTrue())
		Expect(one.journals).To(HaveLen(1))
		Expect(one.journals["a.jsonl"].events).To(HaveLen(3))
	}, SpecTimeout(time.Minute))

	It("fails if it panics", func(ctx SpecContext) {
		p := fake(settings{spec: "it"}, "echo before; echo 'panic: lost'; exit 2")
		one, err := p.play(ctx, filepath.Join(p.root, "run"))
		Expect(err).NotTo(HaveOccurred())
		Expect(one.failed).To(BeTrue())
		Expect(one.said).To(Equal("the suite aborted:\npanic: lost"))
	}, SpecTimeout(time.Minute))

	It("is inconclusive if it does not run", func(ctx SpecContext) {
		p := fake(settings{spec: "it"}, "echo there is no setting interleave; exit 1")
		_, err := p.play(ctx, filepath.Join(p.root, "run"))
		Expect(err).To(MatchError("the suite did not run (exit status 1): there is no setting interleave"))
	}, SpecTimeout(time.Minute))

	It("is inconclusive if it writes no report", func(ctx SpecContext) {
		p := fake(settings{spec: "it"}, "exit 0")
		_, err := p.play(ctx, filepath.Join(p.root, "run"))
		Expect(err).To(MatchError("the suite wrote no report"))
	}, SpecTimeout(time.Minute))

	It("ends with its context", func(ctx SpecContext) {
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		p := fake(settings{spec: "it"}, "exec sleep 60")
		_, err := p.play(short, filepath.Join(p.root, "run"))
		Expect(err).To(MatchError(context.DeadlineExceeded))
	}, SpecTimeout(30*time.Second))

	DescribeTable("runs a schedule", func(ctx SpecContext, script string, matches func(played, error)) {
		p := fake(settings{chaos: true}, script)
		one, err := p.play(ctx, filepath.Join(p.root, "run"))
		matches(one, err)
	},
		Entry("that passes", SpecTimeout(time.Minute), "echo seed 1 passed", func(p played, err error) {
			Expect(err).NotTo(HaveOccurred())
			Expect(p.failed).To(BeFalse())
			Expect(p.said).To(Equal("seed 1 passed"))
		}),
		Entry("that fails", SpecTimeout(time.Minute), "echo FAILED; exit 1", func(p played, err error) {
			Expect(err).NotTo(HaveOccurred())
			Expect(p.failed).To(BeTrue())
		}),
		Entry("that does not exist", SpecTimeout(time.Minute), "echo chaos: no; exit 2", func(_ played, err error) {
			Expect(err).To(MatchError("chaos did not run (exit status 2): chaos: no"))
		}),
	)
})

// End to end: these specs build and run the suite.
var _ = Describe("Replaying", Label("speed:slow"), Ordered, func() {
	const spec = "A replicated SQL database Changes while a node is isolated reach it when it returns: created and dropped namespaces"
	var exact bool

	BeforeAll(func(ctx SpecContext) {
		toolchain, err := replay.Prepare(ctx)
		Expect(err).NotTo(HaveOccurred())
		if exact = toolchain.Exact; !exact {
			GinkgoWriter.Println(toolchain.Why)
		}
	}, NodeTimeout(5*time.Minute))

	again := func(args ...string) (code int, said string) {
		var out strings.Builder
		code = run(append([]string{"-inexact", "-seed", "17"}, args...), &out, GinkgoWriter)
		GinkgoWriter.Println(out.String())
		return code, out.String()
	}

	It("has the same result twice", func(SpecContext) {
		code, said := again("-spec", spec)
		Expect(said).To(HavePrefix("the spec passes\n"))
		if exact {
			Expect(said).To(ContainSubstring("the same, to the nanosecond: "))
			Expect(code).To(Equal(good))
		}
	}, SpecTimeout(10*time.Minute))

	It("fails with a planted bug", func(SpecContext) {
		code, said := again("-spec", spec, "-defect", "loses-ddl")
		Expect(code).To(Equal(bad))
		Expect(said).To(HavePrefix("the spec fails "))
	}, SpecTimeout(10*time.Minute))

	It("runs a schedule again", func(SpecContext) {
		code, said := again("-chaos", "-interleave", "1")
		Expect(said).To(ContainSubstring("seed 17 passed: "))
		if exact {
			Expect(said).To(ContainSubstring("the same, to the nanosecond: "))
			Expect(code).To(Equal(good))
		}
	}, SpecTimeout(10*time.Minute))

	It("is inconclusive about a missing spec", func(SpecContext) {
		code, _ := again("-spec", spec+"!")
		Expect(code).To(Equal(inconclusive))
	}, SpecTimeout(10*time.Minute))
})
