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
	It("are at least three hundred, each with a name of its own and a text of its own", func() {
		all, err := hostile.Load()
		Expect(err).NotTo(HaveOccurred())
		names, texts := map[string]bool{}, map[string]bool{}
		for _, s := range all {
			names[s.String()] = true
			texts[s.SQL] = true
		}
		Expect(names).To(HaveLen(len(all)))
		Expect(len(texts)).To(BeNumerically(">=", 300))
		Expect(len(texts)).To(Equal(len(all)), "each once")
	})

	DescribeTable("write out what is there many times", func(text, want string) {
		Expect(hostile.Expand(text)).To(Equal(want))
	},
		Entry("without a separator", "SELECT 1{{3||+#}}", "SELECT 1+0+1+2"),
		Entry("with a separator", "({{2|, |'x#'}})", "('x0', 'x1')"),
		Entry("with bars within", "{{2|||| h}}", "|| h|| h"),
		Entry("no time", "a{{0|,|x}}b", "ab"),
		Entry("without any", "SELECT '{}'", "SELECT '{}'"),
	)

	It("come after a base that is there", func() {
		Expect(hostile.Base()).To(ConsistOf(ContainSubstring("CREATE TABLE big")))
	})
})
