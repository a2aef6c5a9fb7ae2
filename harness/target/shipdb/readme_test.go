package main_test

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = ours("The adapter's page", func() {
	It("shows the adapter as it is", func() {
		page, err := os.ReadFile("../README.md")
		Expect(err).NotTo(HaveOccurred())
		example, err := os.ReadFile("adapter_test.go")
		Expect(err).NotTo(HaveOccurred())
		shown := strings.Replace(string(example), "package main_test", "package ship", 1)
		Expect(strings.Contains(string(page), "```go\n"+shown+"```\n")).To(BeTrue(),
			"harness/target/README.md does not show adapter_test.go as it is")
	})
})
