package findings_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/journal"
)

const patience = SpecTimeout(time.Minute)

// reported is the report of the only spec that ran.
func reported(dir string) types.SpecReport {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(dir, "report.json"))
	Expect(err).NotTo(HaveOccurred())
	var reports []types.Report
	Expect(json.Unmarshal(content, &reports)).To(Succeed())
	Expect(reports).To(HaveLen(1))
	specs := slices.DeleteFunc(reports[0].SpecReports.WithLeafNodeType(types.NodeTypeIt), func(s types.SpecReport) bool {
		return s.State == types.SpecStateSkipped // those of this package
	})
	Expect(specs).To(HaveLen(1))
	return specs[0]
}

var _ = Describe("A finding", func() {
	It("comes back from the JSON report of a spec that has seen it", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		said, err := run(ctx, "seen", dir)
		Expect(err).NotTo(HaveOccurred(), said)
		spec := reported(dir)
		Expect(spec.Labels()).To(ConsistOf("finding", "slow"))
		r, has, err := findings.RecordOf(spec)
		Expect(err).NotTo(HaveOccurred())
		Expect(has).To(BeTrue())
		Expect(r.Finding).To(Equal(made))
		Expect(r.Database + " " + r.Version).To(Equal("madeup 1.0"))
		Expect(r.Seen).To(Equal("node 1 answers nothing"))
		Expect(r.Seed).To(Equal(int64(17)))
		Expect(r.Schedule).To(HaveExactElements(MatchRegexp(`^\+\S+s fault node 1: isolate \(`)))
		Expect(r.Command).To(Equal("REJOIN_TARGET=madeup REJOIN_LABEL_FILTER=finding go test -v -timeout=0 " +
			"github.com/rejoin-db/rejoin/harness/findings -ginkgo.v -ginkgo.seed=17 -ginkgo.focus='a node is gone while it is isolated'"))

		Expect(r.History).To(HaveExactElements("reports/findings/madeup-defaults-a-node-is-gone-while-it-is-isolated.jsonl"))
		file, err := os.Open(filepath.Join(dir, r.History[0]))
		Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		_, events, err := journal.Load(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(events).To(ContainElement(HaveField("Kind", journal.Fault)))
	}, patience)

	It("is shown in words", func(ctx SpecContext) {
		said, err := run(ctx, "seen", GinkgoT().TempDir(), "-ginkgo.v")
		Expect(err).NotTo(HaveOccurred(), said)
		for _, words := range []string{
			findings.Mark + made.Title, findings.Mark + "seen: node 1 answers nothing", "madeup 1.0, defaults: " + made.Title,
			"claim     its manual, page 7", "layer     server", "upstream  https://example.com/issues/7", "seed      17",
		} {
			Expect(said).To(ContainSubstring(words))
		}
	}, patience)

	DescribeTable("fails", func(ctx SpecContext, spec, why, seen string) {
		dir := GinkgoT().TempDir()
		said, err := run(ctx, spec, dir)
		Expect(err).To(HaveOccurred(), said)
		failed := reported(dir)
		Expect(failed.State).To(Equal(types.SpecStateFailed))
		Expect(failed.Failure.Message).To(ContainSubstring(why))
		r, has, err := findings.RecordOf(failed)
		Expect(err).NotTo(HaveOccurred())
		Expect(has).To(Equal(spec != "claims nothing"))
		Expect(r.Seen).To(Equal(seen))
	},
		Entry("if nothing is seen", patience, "not seen", "not seen: "+made.Title, ""),
		Entry("if an assertion fails after it was seen", patience, "fails", "to equal", "it is gone"),
		Entry("if it names no claim", patience, "claims nothing", "it names no claim of the makers", ""),
	)

	It("keeps the history of each cluster of its spec", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		said, err := run(ctx, "two clusters", dir)
		Expect(err).NotTo(HaveOccurred(), said)
		r, _, err := findings.RecordOf(reported(dir))
		Expect(err).NotTo(HaveOccurred())
		Expect(r.Seen).To(Equal("node 1 answers nothing; node 1 answers nothing"))
		Expect(r.Schedule).To(HaveLen(2))
		Expect(r.History).To(HaveLen(2))
		for _, path := range r.History {
			Expect(filepath.Join(dir, path)).To(BeAnExistingFile())
		}
	}, patience)

	DescribeTable("is refused without", func(change func(*findings.Finding), why string) {
		f := made
		change(&f)
		Expect(f.Validate()).To(MatchError(ContainSubstring(why)))
	},
		Entry("a title", func(f *findings.Finding) { f.Title = "" }, "a sentence without a full stop"),
		Entry("a title that is one sentence", func(f *findings.Finding) { f.Title += "." }, "a sentence without a full stop"),
		Entry("a setting", func(f *findings.Finding) { f.Setting = "" }, "no setting"),
		Entry("a claim", func(f *findings.Finding) { f.Claim = "" }, "no claim"),
		Entry("a layer", func(f *findings.Finding) { f.Layer = "cloud" }, `"cloud"; allowed are server and driver`),
	)

	It("is sound with all of them", func() { Expect(made.Validate()).To(Succeed()) })
})
