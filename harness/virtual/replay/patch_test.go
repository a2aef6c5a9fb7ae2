package replay

import (
	"go/parser"
	"go/token"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A patch", func() {
	const proc = "package runtime\n\nfunc a() {\n}\n\nfunc b() {\n}\n"

	var root string
	BeforeEach(func() { root = fakeRoot(GinkgoT().TempDir(), proc) })

	apply := func(patches ...patch) (string, error) {
		files, err := patched("go9.9", root, patches, nil)
		return files["runtime/proc.go"], err
	}

	It("replaces its text", func() {
		Expect(apply(patch{File: "runtime/proc.go", Find: "func a() {\n", With: "func a() {\n\tb()\n"})).
			To(Equal("package runtime\n\nfunc a() {\n\tb()\n}\n\nfunc b() {\n}\n"))
	})

	It("sees the result of earlier patches of its file", func() {
		Expect(apply(
			patch{File: "runtime/proc.go", Find: "func a()", With: "func c()"},
			patch{File: "runtime/proc.go", Find: "func c()", With: "func d()"},
		)).To(HavePrefix("package runtime\n\nfunc d() {"))
	})

	It("applies the one alternative that fits", func() {
		p := patch{File: "runtime/proc.go", Find: "func old() {", With: "1", Or: []edit{{"func b() {", "2"}, {"func new() {", "3"}}}
		Expect(apply(p)).To(HaveSuffix("\n2\n}\n"))
	})

	DescribeTable("does not fit", func(p patch, says string) {
		p.File = "runtime/proc.go"
		_, err := apply(p)
		var misfit *MisfitError
		Expect(err).To(BeAssignableToTypeOf(misfit))
		Expect(err).To(MatchError("the patch of runtime/proc.go does not fit go9.9: " + says))
	},
		Entry("if its text is missing", patch{Find: "func z() {\n\ta()\n"}, `"func z() { …" occurs 0 times, and must occur once`),
		Entry("if its text occurs twice", patch{Find: "() {\n"}, `"() {" occurs 2 times, and must occur once`),
		Entry("without a text", patch{}, `"" occurs 0 times, and must occur once`),
		Entry("if all of its texts are missing", patch{Find: "x", Or: []edit{{"y", ""}}},
			`"x" occurs 0 times, "y" occurs 0 times, and exactly one of these must occur once`),
		Entry("if two of its texts occur", patch{Find: "func a", Or: []edit{{"func b", ""}}},
			`"func a" occurs once, "func b" occurs once, and exactly one of these must occur once`),
		Entry("if one text occurs once and the other twice", patch{Find: "func a", Or: []edit{{"}\n", ""}}},
			`"func a" occurs once, "}" occurs 2 times, and exactly one of these must occur once`),
		Entry("if its long text is missing", patch{Find: strings.Repeat("é", 100)},
			`"`+strings.Repeat("é", 80)+` …" occurs 0 times, and must occur once`),
	)

	It("reports its texts and their occurrences", func() {
		_, err := apply(patch{File: "runtime/proc.go", Find: "func a", Or: []edit{{"() {", ""}}})
		Expect(err).To(Equal(&MisfitError{Go: "go9.9", File: "runtime/proc.go", Find: []string{"func a", "() {"}, Found: []int{1, 2}}))
	})

	It("does not fit if its file is missing", func() {
		_, err := apply(patch{File: "runtime/select.go", Find: "x"})
		Expect(err).To(MatchError("the patch of runtime/select.go does not fit go9.9: the file does not exist"))
	})

	It("reports that Go's sources are missing", func() {
		_, err := patched("go9.9", GinkgoT().TempDir(), []patch{{File: "runtime/proc.go", Find: "x"}}, nil)
		Expect(err).To(MatchError(errNoSources))
	})

	It("adds files", func() {
		Expect(patched("go9.9", root, nil, []addition{{"runtime/new.go", "package runtime\n"}})).
			To(Equal(map[string]string{"runtime/new.go": "package runtime\n"}))
	})

	It("does not add a file that exists", func() {
		_, err := patched("go9.9", root, nil, []addition{{"runtime/proc.go", ""}})
		Expect(err).To(MatchError("the patch of runtime/proc.go does not fit go9.9: the file already exists"))
	})
})

var _ = Describe("The patches", func() {
	It("result in valid Go", func(ctx SpecContext) {
		additions, err := readAdditions()
		Expect(err).NotTo(HaveOccurred())
		t := made(prepare(ctx, at(GinkgoT().TempDir()), patches, additions))
		files, err := patched(t.Version, t.Root, patches, additions)
		Expect(err).NotTo(HaveOccurred())
		Expect(files).NotTo(BeEmpty())
		for name, text := range files {
			if strings.HasSuffix(name, ".go") {
				_, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
				Expect(err).NotTo(HaveOccurred())
			}
		}
	})

	It("use every embedded file", func() {
		var used []string
		for _, name := range added {
			used = append(used, strings.TrimPrefix(name, "files/"))
		}
		entries, err := files.ReadDir("files")
		Expect(err).NotTo(HaveOccurred())
		var there []string
		for _, entry := range entries {
			there = append(there, entry.Name())
		}
		Expect(used).To(ConsistOf(there))
	})
})
