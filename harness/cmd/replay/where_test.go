package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The first difference of decisions", func() {
	// wrote returns a run with these files, in the form "name: lines".
	wrote := func(files ...string) played {
		GinkgoHelper()
		folder := GinkgoT().TempDir()
		for _, f := range files {
			name, lines, _ := strings.Cut(f, ": ")
			file, err := os.Create(filepath.Join(folder, name))
			Expect(err).NotTo(HaveOccurred())
			compressed := gzip.NewWriter(file)
			_, err = io.WriteString(compressed, strings.ReplaceAll(lines, " ", "\n"))
			Expect(err).NotTo(HaveOccurred())
			Expect(compressed.Close()).To(Succeed())
			Expect(file.Close()).To(Succeed())
		}
		return played{decisions: folder}
	}

	DescribeTable("is printed", func(says string, files ...[]string) {
		var all []played
		for _, f := range files {
			all = append(all, wrote(f...))
		}
		var out strings.Builder
		Expect(partings(all, &out)).To(Succeed())
		Expect(out.String()).To(Equal(says))
	},
		Entry("as missing without files", "no decisions were written, so none were compared\n", []string{}, []string{}),
		Entry("as missing for equal files", "all decisions are the same, in 2 bubbles\n",
			[]string{"a: 1 2 ", "b: 1 "}, []string{"a: 1 2 ", "b: 1 "}),
		Entry("at the first line", "bubble a: the decisions of run 1 (<) and run 2 (>) differ\n< 1\n> 2\n",
			[]string{"a: 1 3 "}, []string{"a: 2 4 "}),
		Entry("at a later line, with those before", "bubble a: the decisions of run 1 (<) and run 2 (>) differ\n  2\n  3\n  4\n< 5\n> 6\n",
			[]string{"a: 1 2 3 4 5 "}, []string{"a: 1 2 3 4 6 "}),
		Entry("at the end of one", "bubble a: the decisions of run 1 (<) and run 2 (>) differ\n  1\n< (nothing more)\n> 2\n",
			[]string{"a: 1 "}, []string{"a: 1 2 "}),
		Entry("for a missing file", "bubble a: the decisions of run 1 (<) and run 2 (>) differ\n< 1\n> (nothing more)\n",
			[]string{"a: 1 "}, []string{}),
		Entry("for each run", "bubble a: the decisions of run 1 (<) and run 3 (>) differ\n< 1\n> 2\n",
			[]string{"a: 1 "}, []string{"a: 1 "}, []string{"a: 2 "}),
	)

	It("is an error for a damaged file", func() {
		damaged := wrote("a: 1 2 3 ")
		path := filepath.Join(damaged.decisions, "a")
		Expect(os.Truncate(path, 20)).To(Succeed())
		Expect(partings([]played{wrote("a: 1 2 3 "), damaged}, io.Discard)).To(MatchError(ContainSubstring(path)))
	})
})
