package main

import (
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/again"
)

var _ = Describe("The flags", func() {
	DescribeTable("are rejected", func(why string, args ...string) {
		var said strings.Builder
		Expect(run(args, &said, &said)).To(Equal(inconclusive))
		Expect(said.String()).To(ContainSubstring(why))
	},
		Entry("without a seed", "-seed is required", "-spec", "A database rests"),
		Entry("with an invalid seed", `-seed "x" is not a whole number`, "-seed", "x"),
		Entry("with a negative seed of a schedule", `-seed "-1" is not a whole number`, "-seed", "-1", "-chaos"),
		Entry("with a spec of a schedule", "a schedule has no -spec", "-seed", "1", "-chaos", "-spec", "it"),
		Entry("with kinds of faults of a spec", "-without needs -chaos", "-seed", "1", "-without", "wipe"),
		Entry("with an invalid probability", "-yield 2: must be 0 to 1", "-seed", "1", "-yield", "2"),
		Entry("with a limit of zero", "-limit must be positive", "-seed", "1", "-limit", "0s"),
		Entry("with one run and no journal", "-runs 1 without -journal compares nothing", "-seed", "1", "-runs", "1"),
		Entry("with one run and -where", "-where compares two runs", "-seed", "1", "-runs", "1", "-where", "-journal", "j"),
		Entry("with a negative number of runs", "-runs must not be negative", "-seed", "1", "-runs", "-1"),
		Entry("without processes", "-parallel", "-seed", "1", "-parallel", "0"),
		Entry("with arguments", `unexpected argument "please"`, "-seed", "1", "please"),
		Entry("if they are unknown", "flag provided but not defined", "-speed", "1"),
		Entry("with a missing journal", "read a journal: ", "-seed", "1", "-journal", "no-such.jsonl"),
	)

	It("are documented, with the exit codes", func() {
		var said strings.Builder
		Expect(run([]string{"-help"}, &said, &said)).To(Equal(good))
		Expect(said.String()).To(And(ContainSubstring("-interleave N"), ContainSubstring("git bisect run"), ContainSubstring("\n  125  ")))
	})
})

var _ = Describe("The arguments of the suite", func() {
	It("select exactly one spec", func() {
		text := "A database (of 3) costs $5. Or more? [x]"
		args := settings{seed: "17", spec: text}.arguments("r.json")
		Expect(args).To(ContainElement("-ginkgo.seed=17"))
		expression := regexp.MustCompile(again.Focus(text))
		Expect(args).To(ContainElement("-ginkgo.focus=" + expression.String()))
		Expect(expression.MatchString("Rejoin " + text)).To(BeTrue())
		Expect(expression.MatchString("Rejoin " + text + " and more")).To(BeFalse())
		Expect(expression.MatchString("Rejoin more: " + text)).To(BeFalse())
		Expect(expression.MatchString("Rejoin A database of 3 costs $5. Or more? [x]")).To(BeFalse())
	})

	It("select all specs if none is named", func() {
		Expect(settings{seed: "17"}.arguments("r.json")).NotTo(ContainElement(ContainSubstring("focus")))
	})

	It("contain only settings that differ from the defaults, for older trees", func() {
		Expect(settings{spec: "it"}.environment("f")).To(Equal([]string{
			"REJOIN_TARGET=virtual", "REJOIN_JOURNALS=all", "REJOIN_JOURNAL_FOLDER=f", "REJOIN_LABEL_FILTER=",
		}))
		Expect(settings{interleave: 2, yield: 0.5, defect: "bug"}.environment("f")).To(
			ContainElements("REJOIN_INTERLEAVE=2", "REJOIN_YIELD=0.5", "REJOIN_DEFECT=bug"))
	})

	It("contain a folder for decisions with -where", func() {
		Expect(settings{where: true}.environment("f")).To(ContainElement("REJOIN_DECISIONS=f/decisions"))
		Expect(settings{where: true, seed: "1"}.chaosArguments("f")).To(ContainElements("-decisions", "f/decisions"))
	})

	It("select a schedule with -chaos", func() {
		s := settings{seed: "17", without: "wipe,full disk", interleave: 2, yield: 0.5, defect: "bug"}
		Expect(s.chaosArguments("j")).To(Equal([]string{
			"-once", "-target", "virtual", "-seed", "17", "-journal", "j/schedule.jsonl",
			"-without", "wipe,full disk", "-interleave=2", "-yield=0.5", "-defect=bug",
		}))
	})
})

var _ = Describe("The expected journal", func() {
	of := func(s settings, spec string) (settings, error) {
		return s.of(&saved{events: journalOf(spec, "failed", "x")})
	}

	It("names its spec", func() {
		for _, asked := range []string{"", "A database rests"} {
			s, err := of(settings{spec: asked}, "A database rests")
			Expect(err).NotTo(HaveOccurred())
			Expect(s.spec).To(Equal("A database rests"))
		}
	})

	It("must be of that spec", func() {
		_, err := of(settings{spec: "A database rests"}, "A database works")
		Expect(err).To(MatchError(ContainSubstring(`of a different spec: "A database works"`)))
		_, err = of(settings{chaos: true}, "A database works")
		Expect(err).To(MatchError(ContainSubstring("-chaos does not replay specs")))
		_, err = settings{}.of(&saved{events: journalOf("it", "failed", "x")[1:]})
		Expect(err).To(MatchError(ContainSubstring("use -chaos")))
	})
})
