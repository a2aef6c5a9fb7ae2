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

var _ = Describe("Where runs part", func() {
	// wrote is a run that wrote such files, "name: lines".
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

	DescribeTable("is said", func(says string, files ...[]string) {
		var all []played
		for _, f := range files {
			all = append(all, wrote(f...))
		}
		var out strings.Builder
		Expect(partings(all, &out)).To(Succeed())
		Expect(out.String()).To(Equal(says))
	},
		Entry("where nothing was written", "no decisions were written, so none were compared\n", []string{}, []string{}),
		Entry("where all are the same", "all decisions are the same, in 2 bubbles\n", []string{"a: 1 2 ", "b: 1 "}, []string{"a: 1 2 ", "b: 1 "}),
		Entry("at the first line", "bubble a: the decisions of run 1 (<) and of run 2 (>) part\n< 1\n> 2\n", []string{"a: 1 3 "}, []string{"a: 2 4 "}),
		Entry("at a later line, after those before", "bubble a: the decisions of run 1 (<) and of run 2 (>) part\n  2\n  3\n  4\n< 5\n> 6\n",
			[]string{"a: 1 2 3 4 5 "}, []string{"a: 1 2 3 4 6 "}),
		Entry("where one ends", "bubble a: the decisions of run 1 (<) and of run 2 (>) part\n  1\n< (nothing more)\n> 2\n", []string{"a: 1 "}, []string{"a: 1 2 "}),
		Entry("where one has no file", "bubble a: the decisions of run 1 (<) and of run 2 (>) part\n< 1\n> (nothing more)\n", []string{"a: 1 "}, []string{}),
		Entry("for each run", "bubble a: the decisions of run 1 (<) and of run 3 (>) part\n< 1\n> 2\n", []string{"a: 1 "}, []string{"a: 1 "}, []string{"a: 2 "}),
	)

	It("is not said of a file that is damaged", func() {
		damaged := wrote("a: 1 2 3 ")
		path := filepath.Join(damaged.decisions, "a")
		Expect(os.Truncate(path, 20)).To(Succeed())
		Expect(partings([]played{wrote("a: 1 2 3 "), damaged}, io.Discard)).To(MatchError(ContainSubstring(path)))
	})
})
