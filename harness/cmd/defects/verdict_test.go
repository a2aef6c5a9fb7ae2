package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/defects"
)

var begun = time.Unix(1000, 0)

// spec returns the report of a spec.
func spec(name string, state types.SpecState, after time.Duration, labels ...string) types.SpecReport {
	return types.SpecReport{
		LeafNodeType: types.NodeTypeIt, LeafNodeText: name, LeafNodeLabels: labels, State: state, EndTime: begun.Add(after),
		Failure: types.Failure{Message: "it is\nwrong"},
	}
}

// reportOf returns the path of a file with a report of these specs.
func reportOf(specs ...types.SpecReport) string {
	GinkgoHelper()
	content, err := json.Marshal([]types.Report{{StartTime: begun, SpecReports: specs}})
	Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(GinkgoT().TempDir(), "report.json")
	Expect(os.WriteFile(path, content, 0o600)).To(Succeed())
	return path
}

var _ = Describe("A verdict", func() {
	d := defects.Defect{Name: "loses-all", Kind: "writes", Text: "all is lost", About: "suite:changes || suite:retry"}

	It("counts the specs that catch a bug, and those about it", func() {
		v := verdict{defect: d}
		Expect(v.read(reportOf(
			spec("passes", types.SpecStatePassed, time.Second, "suite:changes"),
			spec("fails late", types.SpecStateFailed, 3*time.Second, "suite:retry"),
			spec("fails first", types.SpecStateTimedout, 2*time.Second, "suite:links"),
			spec("did not run", types.SpecStateSkipped, 0, "suite:changes"),
			spec("was cut off", types.SpecStateInterrupted, 4*time.Second, "suite:changes"),
		))).To(BeTrue())
		Expect([]int{v.specs, len(v.catches), v.about, v.of}).To(Equal([]int{3, 2, 1, 2}))
		Expect(v.catches[0].spec).To(Equal("fails first"))
		Expect(v.best().spec).To(Equal("fails late"))
		Expect(table([]verdict{v}, true)).To(ContainSubstring("| writes | `loses-all` | all is lost | 2 of 3 specs | " +
			"1 of 2: `suite:changes \\|\\| suite:retry` | fails late | 3.0 s |\n"))
		Expect(report([]verdict{v}, true, time.Minute)).To(BeZero())
	})

	It("is missed if no spec about the bug catches it, with -all", func() {
		v := verdict{defect: d}
		Expect(v.read(reportOf(
			spec("fails", types.SpecStateFailed, time.Second, "suite:links"),
			spec("passes", types.SpecStatePassed, time.Second, "suite:changes"),
		))).To(BeTrue())
		Expect(v.caught()).To(BeTrue())
		Expect(report([]verdict{v}, true, time.Minute)).To(Equal(1))
		Expect(report([]verdict{v}, false, time.Minute)).To(BeZero())
	})

	It("is missed if no spec fails", func() {
		v := verdict{defect: d}
		Expect(v.read(reportOf(spec("passes", types.SpecStatePassed, time.Second, "suite:changes")))).To(BeTrue())
		Expect(v.caught()).To(BeFalse())
		Expect(report([]verdict{v}, false, time.Minute)).To(Equal(1))
		Expect(table([]verdict{v}, false)).To(ContainSubstring("| up to the first |"))
		Expect(table([]verdict{v}, true)).To(ContainSubstring("**missed**"))
	})

	DescribeTable("of a run that wrote no report", func(ctx SpecContext, script string, matches func(verdict, error)) {
		dir := GinkgoT().TempDir()
		s := &suite{dir: dir, root: dir, binary: filepath.Join(dir, "suite.test")}
		Expect(os.WriteFile(s.binary, []byte("#!/bin/sh\n"+script+"\n"), 0o700)).To(Succeed())
		v, err := s.run(ctx, trial{defect: d, limit: time.Minute})
		matches(v, err)
	},
		Entry("is an error if it never started", NodeTimeout(time.Minute), "echo plant loses-all: no; exit 1", func(_ verdict, err error) {
			Expect(err).To(MatchError(ContainSubstring("the suite with loses-all did not run: exit status 1: plant loses-all: no")))
		}),
		Entry("is an error if it passed", NodeTimeout(time.Minute), "exit 0", func(_ verdict, err error) {
			Expect(err).To(MatchError("the suite with loses-all wrote no report"))
		}),
		Entry("is a catch if it panicked", NodeTimeout(time.Minute), "echo panic: lost; exit 2", func(v verdict, err error) {
			Expect(err).NotTo(HaveOccurred())
			Expect([]string{v.best().spec, v.best().said}).To(Equal([]string{"the run aborted", "panic: lost"}))
		}),
	)
})
