package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/mutate"
)

func TestMutants(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command mutants")
}

var _ = Describe("The command", func() {
	DescribeTable("rejects", func(message string, args ...string) {
		_, err := parse(args)
		Expect(err).To(MatchError(message))
	},
		Entry("arguments", `unexpected argument "all"`, "all"),
		Entry("zero mutants", "-number and -jobs must be positive, and -limit not negative", "-number", "0"),
		Entry("a negative limit", "-number and -jobs must be positive, and -limit not negative", "-limit", "-1s"),
	)

	It("draws from every package, and the same mutants for a seed", func() {
		var sites []mutate.Site
		for i := range 1000 {
			s := mutate.Site{ID: i + 1, Package: "large"}
			if i%10 == 0 {
				s.Package = "small"
			}
			sites = append(sites, s)
		}
		drawn := draw(sites, 40, 3)
		Expect(drawn).To(HaveLen(40))
		Expect(draw(sites, 40, 3)).To(Equal(drawn))
		Expect(draw(sites, 40, 4)).NotTo(Equal(drawn))
		of := make(map[string]int)
		seen := make(map[int]bool)
		for _, s := range drawn {
			of[s.Package]++
			seen[s.ID] = true
		}
		Expect(seen).To(HaveLen(40), "a mutant was drawn twice")
		Expect(of["small"]).To(BeNumerically("~", 10, 1), "a third of the share of a package that is nine times as large")
		Expect(draw(sites, 2000, 3)).To(HaveLen(1000))
	})

	It("tries the mutants of -only, and no others", func() {
		b := &build{sites: []mutate.Site{{ID: 1}, {ID: 2}, {ID: 3}}}
		Expect(b.sample(options{only: "3,1"})).To(Equal([]mutate.Site{{ID: 3}, {ID: 1}}))
		_, err := b.sample(options{only: "4"})
		Expect(err).To(MatchError(`no mutant "4": the numbers are 1 to 3`))
	})

	It("reads what the tests reached", func() {
		path := filepath.Join(GinkgoT().TempDir(), "trace")
		Expect(os.WriteFile(path, []byte("1\nspec A node\n1\n2\nspec Another\n2\n"), 0o666)).To(Succeed())
		Expect(readTrace(path)).To(Equal(map[int][]string{1: {"", "A node"}, 2: {"A node", "Another"}}))
	})

	It("names the spec that killed a mutant, or how the process ended", func() {
		said := "Summarizing 1 Failure:\n  [FAIL] A node [It] comes back [suite:x]\n"
		Expect(killer([]byte(said), errors.New("exit status 1"))).To(Equal("[FAIL] A node [It] comes back [suite:x]"))
		Expect(killer([]byte("panic: it broke\n\ngoroutine 1"), errors.New("exit status 2"))).To(Equal("panic: it broke"))
		Expect(killer(nil, errors.New("did not end within 1s"))).To(Equal("did not end within 1s"))
	})

	It("counts a survivor with a reason separately", func() {
		site := mutate.Site{ID: 1, File: "a.go", Func: "f", Operator: mutate.Equal, Was: "a == b"}
		survived := result{Mutant: site}
		Expect(report([]result{survived}, nil)).To(Equal(1))
		Expect(report([]result{survived}, map[string]string{site.Key(): "a is b"})).To(BeZero())
		killed := result{Mutant: site, Suite: end{Killed: true, Took: time.Second}}
		Expect(report([]result{killed}, nil)).To(BeZero())
	})
})

var _ = Describe("equivalent.txt", func() {
	It("has a reason for each", func() {
		Expect(readReasons()).NotTo(ContainElement(""))
	})

	It("names existing mutants", func() {
		sites := []mutate.Site{{File: "a.go", Func: "f", Operator: mutate.Equal, Was: "a == b"}}
		Expect(known(map[string]string{sites[0].Key(): "a is b"}, sites)).To(Succeed())
		Expect(known(map[string]string{"b.go g: equal: x": "x"}, sites)).To(MatchError(`equivalent.txt: no mutant "b.go g: equal: x"`))
	})
})
