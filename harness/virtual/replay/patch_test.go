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

	It("takes the place of its text", func() {
		Expect(apply(patch{File: "runtime/proc.go", Find: "func a() {\n", With: "func a() {\n\tb()\n"})).
			To(Equal("package runtime\n\nfunc a() {\n\tb()\n}\n\nfunc b() {\n}\n"))
	})

	It("sees what an earlier patch of its file wrote", func() {
		Expect(apply(
			patch{File: "runtime/proc.go", Find: "func a()", With: "func c()"},
			patch{File: "runtime/proc.go", Find: "func c()", With: "func d()"},
		)).To(HavePrefix("package runtime\n\nfunc d() {"))
	})

	It("takes the one text of several that fits", func() {
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
		Entry("where its text is not", patch{Find: "func z() {\n\ta()\n"}, `"func z() { …" occurs nowhere, and must occur once`),
		Entry("where its text is twice", patch{Find: "() {\n"}, `"() {" occurs 2 times, and must occur once`),
		Entry("without a text", patch{}, `"" occurs nowhere, and must occur once`),
		Entry("where none of its texts is", patch{Find: "x", Or: []edit{{"y", ""}}},
			`"x" occurs nowhere, "y" occurs nowhere, and exactly one of these must occur once`),
		Entry("where two of its texts are", patch{Find: "func a", Or: []edit{{"func b", ""}}},
			`"func a" occurs once, "func b" occurs once, and exactly one of these must occur once`),
		Entry("where one text is once and another twice", patch{Find: "func a", Or: []edit{{"}\n", ""}}},
			`"func a" occurs once, "}" occurs 2 times, and exactly one of these must occur once`),
		Entry("where its text is long", patch{Find: strings.Repeat("é", 100)},
			`"`+strings.Repeat("é", 80)+` …" occurs nowhere, and must occur once`),
	)

	It("says what it looked for, and how often that is there", func() {
		_, err := apply(patch{File: "runtime/proc.go", Find: "func a", Or: []edit{{"() {", ""}}})
		Expect(err).To(Equal(&MisfitError{Go: "go9.9", File: "runtime/proc.go", Find: []string{"func a", "() {"}, Found: []int{1, 2}}))
	})

	It("does not fit where its file is not", func() {
		_, err := apply(patch{File: "runtime/select.go", Find: "x"})
		Expect(err).To(MatchError("the patch of runtime/select.go does not fit go9.9: there is no such file"))
	})

	It("knows that Go's sources are not there", func() {
		_, err := patched("go9.9", GinkgoT().TempDir(), []patch{{File: "runtime/proc.go", Find: "x"}}, nil)
		Expect(err).To(MatchError(errNoSources))
	})

	It("adds files", func() {
		Expect(patched("go9.9", root, nil, []addition{{"runtime/new.go", "package runtime\n"}})).
			To(Equal(map[string]string{"runtime/new.go": "package runtime\n"}))
	})

	It("adds no file that is there", func() {
		_, err := patched("go9.9", root, nil, []addition{{"runtime/proc.go", ""}})
		Expect(err).To(MatchError("the patch of runtime/proc.go does not fit go9.9: there is such a file already"))
	})
})

var _ = Describe("The patches", func() {
	It("make Go of Go", func(ctx SpecContext) {
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

	It("leave no text out that is there", func() {
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
