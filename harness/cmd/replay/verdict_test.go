package main

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ran returns a run with these journals, in the form "name: note".
func ran(failed bool, journals ...string) played {
	p := played{failed: failed, said: "the spec passes", journals: map[string]*saved{}}
	state := "passed"
	if failed {
		p.said, state = "the spec fails", "failed"
	}
	for _, j := range journals {
		name, said, _ := strings.Cut(j, ": ")
		p.journals[name] = &saved{name: name, events: journalOf(name, state, said)}
	}
	return p
}

var _ = Describe("The verdict", func() {
	expecting := func(state string) *saved { return &saved{events: journalOf("a", state, "x")} }

	DescribeTable("on an expected journal", func(now played, expected *saved, result int, says string) {
		var out strings.Builder
		Expect(judge(settings{context: 2}, []played{now}, expected, &out)).To(Equal(result))
		Expect(out.String()).To(ContainSubstring(says))
	},
		Entry("fails the same way", ran(true, "a: x"), expecting("failed"), bad,
			"the same, to the nanosecond: 3 events in 2s of virtual time"),
		Entry("fails differently", ran(true, "a: y"), expecting("failed"), bad,
			"The journals part at event 2, 1s into the run, of 3 events (the failure) and 3 (this run)."),
		Entry("passes instead", ran(false, "a: x"), expecting("failed"), good, "the failure does not occur"),
		Entry("passes the same way", ran(false, "a: x"), expecting("passed"), good, "the same, to the nanosecond"),
		Entry("passes differently", ran(false, "a: y"), expecting("passed"), bad,
			"the journal differs from the expected one, but nothing failed"),
		Entry("fails where it passed", ran(true, "a: x"), expecting("passed"), bad, "of 3 events (the journal)"),
		Entry("passes without a journal", ran(false), expecting("passed"), bad, "this run has no such journal"),
	)

	DescribeTable("on two runs", func(first, second played, result int, says string) {
		var out strings.Builder
		Expect(judge(settings{}, []played{first, second}, nil, &out)).To(Equal(result))
		Expect(out.String()).To(ContainSubstring(says))
	},
		Entry("that pass", ran(false, "a: x"), ran(false, "a: x"), good, "the same, to the nanosecond: 3 events"),
		Entry("that fail", ran(true, "a: x"), ran(true, "a: x"), bad, "the same, to the nanosecond"),
		Entry("that pass differently", ran(false, "a: x"), ran(false, "a: y"), bad, "but nothing failed"),
		Entry("one of which fails", ran(false, "a: x"), ran(true, "a: x"), bad, "but in run 2: the spec fails"),
		Entry("of many specs", ran(false, "a: x", "b: x"), ran(false, "a: x", "b: x"), good,
			"the same, to the nanosecond: 2 journals with 6 events in 4s"),
		Entry("of many specs, some of which differ", ran(false, "a: x", "b: x", "c: x"), ran(false, "a: y", "b: x", "c: z"), bad,
			"c: differs from event 2 on\n1 of 3 journals are the same\n"),
		Entry("of different specs", ran(false, "a: x"), ran(false, "b: x"), bad, "b: the first run has no such journal"),
		Entry("without journals", ran(false), ran(false), bad, "nothing was compared"),
	)

	DescribeTable("on many runs", func(expected *saved, result int, says string, all ...played) {
		var out strings.Builder
		Expect(judge(settings{}, all, expected, &out)).To(Equal(result))
		Expect(out.String()).To(ContainSubstring(says))
	},
		Entry("that are the same", nil, good, "the same, to the nanosecond: 3 events in 2s of virtual time\n3 of 3 runs are the same\n",
			ran(false, "a: x"), ran(false, "a: x"), ran(false, "a: x")),
		Entry("one of which differs", nil, bad, "(the first run), \"y\" (run 2)", ran(false, "a: x"), ran(false, "a: y"), ran(false, "a: x")),
		Entry("and counts them", nil, bad, "2 of 3 runs are the same\n", ran(false, "a: x"), ran(false, "a: y"), ran(false, "a: x")),
		Entry("one of which fails", nil, bad, "but in run 2: the spec fails", ran(false, "a: x"), ran(true, "a: x"), ran(false, "a: x")),
		Entry("that are as expected", expecting("failed"), bad, "2 of 2 runs are the same", ran(true, "a: x"), ran(true, "a: x")),
		Entry("the first of which differs", expecting("failed"), bad, "1 of 2 runs are the same", ran(true, "a: y"), ran(true, "a: x")),
	)
})
