package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/internal/gocode"
)

// fileCode is a file with a printed spec.
const fileCode = `package printed_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	%s
)

var _ = %s
`

var _ = Describe("A printed spec", func() {
	DescribeTable("compiles for every target, with the settings of its nodes", func(ctx SpecContext, target, decorator string) {
		s := settings{target: target}
		if target == inVirtualTime {
			s.interleave, s.yield = 2, 0.5
		}
		place, err := placeOf(s, 17)
		Expect(err).NotTo(HaveOccurred())
		spec, err := chaos.Spec(chaos.Draw(17, space(s)), place)
		Expect(err).NotTo(HaveOccurred())
		Expect(spec).To(And(ContainSubstring(decorator), ContainSubstring("SnapshotThreshold: 64"), ContainSubstring("TrailingLogs: 16")))

		var imports strings.Builder
		const kit = "github.com/rejoin-db/rejoin/harness/"
		for _, path := range gocode.Imports(spec, "time", "github.com/onsi/gomega/gexec", kit+"chaos", kit+"check", kit+"fault",
			kit+"journal", kit+"local", kit+"process", kit+"virtual") {
			fmt.Fprintf(&imports, "%q\n", path)
		}
		Expect(os.MkdirAll("testdata", 0o755)).To(Succeed())
		dir, err := os.MkdirTemp("testdata", "printed-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		Expect(os.WriteFile(filepath.Join(dir, "printed_test.go"), fmt.Appendf(nil, fileCode, &imports, spec), 0o644)).To(Succeed())
		said, err := exec.CommandContext(ctx, "go", "vet", "./"+dir).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s", said)
	},
		Entry("virtual", SpecTimeout(3*time.Minute), inVirtualTime,
			"virtual.Bubble(virtual.RealLimit(5*time.Minute), virtual.Seed(17), virtual.Interleave(2), virtual.Yield(0.5))"),
		Entry("local", SpecTimeout(3*time.Minute), inThisProcess, "local.New("),
		Entry("process", SpecTimeout(3*time.Minute), inProcesses, "gexec.Build(process.Package)"),
		Entry("hosts", SpecTimeout(3*time.Minute), onHosts, "process.OnHosts("),
	)
})
