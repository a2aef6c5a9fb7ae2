package hostile_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hostile"
)

func TestHostile(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Hostile statements")
}

var _ = Describe("The hostile statements", func() {
	It("are at least 300, with unique names and texts", func() {
		all, err := hostile.Load()
		Expect(err).NotTo(HaveOccurred())
		names, texts := map[string]bool{}, map[string]bool{}
		for _, s := range all {
			names[s.String()] = true
			texts[s.SQL] = true
		}
		Expect(names).To(HaveLen(len(all)))
		Expect(len(texts)).To(BeNumerically(">=", 300))
		Expect(texts).To(HaveLen(len(all)), "no duplicates")
	})

	DescribeTable("expand repetitions", func(text, want string) {
		Expect(hostile.Expand(text)).To(Equal(want))
	},
		Entry("without a separator", "SELECT 1{{3||+#}}", "SELECT 1+0+1+2"),
		Entry("with a separator", "({{2|, |'x#'}})", "('x0', 'x1')"),
		Entry("with bars in the text", "{{2|||| h}}", "|| h|| h"),
		Entry("zero times", "a{{0|,|x}}b", "ab"),
		Entry("without a template", "SELECT '{}'", "SELECT '{}'"),
	)

	It("have a base", func() {
		Expect(hostile.Base()).To(ConsistOf(ContainSubstring("CREATE TABLE big")))
	})
})
