package check_test

import (
	"fmt"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// fixture reads the journal of a run that was saved in that version of the format.
func fixture(version int) history {
	GinkgoHelper()
	file, err := os.Open(fmt.Sprintf("../../fixtures/journals/version-%d.jsonl", version))
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	header, events, err := journal.Load(file)
	Expect(err).NotTo(HaveOccurred())
	Expect(header.Version).To(Equal(version))
	return events
}

var _ = Describe("A journal that was saved in an earlier version", func() {
	for version := range 1 + journal.Version {
		It(fmt.Sprintf("is judged: version %d", version), func() {
			events := fixture(version)
			Expect(check.All(events)).To(Succeed())
			Expect(check.OneLeader(events)).To(Succeed())
			Expect(check.Availability(time.Minute).Judge(events)).To(And(
				HaveField("Judged", BeNumerically(">", 0)), HaveField("Err()", Succeed())))
			Expect(check.Available(events, time.Microsecond)).NotTo(Succeed())
		})
	}
})
