package proc_test

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = It("is explained by an example that is compiled and run", func() {
	page, err := os.ReadFile("../README.md")
	Expect(err).NotTo(HaveOccurred())
	example, err := os.ReadFile("notes_test.go")
	Expect(err).NotTo(HaveOccurred())
	shown := strings.Replace(string(example), "package proc_test", "package notes", 1)
	Expect(strings.Contains(string(page), "```go\n"+shown+"```\n")).To(BeTrue(),
		"harness/target/README.md does not show notes_test.go as it is")
})
