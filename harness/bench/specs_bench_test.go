//go:build bench

package bench

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

var _ = Describe("all specs", Serial, Ordered, ContinueOnFailure, func() {
	var binary string
	BeforeAll(func(ctx SpecContext) {
		binary = filepath.Join(GinkgoT().TempDir(), "rejoin.test")
		output, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "../..").CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(output))
	}, long)

	DescribeTable("run", func(ctx SpecContext, target, reach string, tries int) {
		if target == "hosts" {
			if err := hosts.Supported(); err != nil {
				Skip(err.Error())
			}
		}
		what := "all specs, after compiling: " + target
		e := gmeasure.NewExperiment(what)
		e.Sample(func(int) {
			command := exec.CommandContext(ctx, binary)
			command.Dir, command.Env = "../..", append(command.Environ(), "REJOIN_TARGET="+target)
			begun := time.Now()
			output, err := command.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(output))
			e.RecordDuration(what, time.Since(begun))
			Expect(regexp.MatchString(`[1-9]\d* Passed`, string(output))).To(BeTrue(), string(output))
		}, gmeasure.SamplingConfig{N: tries})
		record(e, what, reach, "ms")
	},
		Entry(nil, long, "virtual", "6,000 ms", 5),
		Entry(nil, long, "local", "120,000 ms", 3),
		Entry(nil, NodeTimeout(30*time.Minute), "process", "240,000 ms", 3),
		Entry(nil, NodeTimeout(30*time.Minute), "hosts", "1.3 times that on process", 3),
	)
})
