package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/held"
)

// leftovers is what the process held and which goroutines ran before the clusters of a spec.
type leftovers struct {
	before     held.Resources
	goroutines []gleak.Goroutine
	inBubble   bool // a bubble looks itself for goroutines that are left in it
}

// lookForLeftovers looks at the end of the spec, after all of its clean-up that is deferred
// later, for what was not there at the call. It does not look in a run whose clusters last for several specs: those start and end
// processes meanwhile. Package lasting looks when it closes them.
func (r *run) lookForLeftovers() *leftovers {
	GinkgoHelper()
	l := &leftovers{before: heldResources(), goroutines: gleak.Goroutines()}
	DeferCleanup(func() {
		if r.lasting {
			return
		}
		Eventually(func() []string { return heldResources().Without(l.before) }).WithTimeout(leftoverTimeout).Should(
			BeEmpty(), "left open when the spec was over")
		if l.inBubble {
			return
		}
		Eventually(gleak.Goroutines).WithTimeout(leftoverTimeout).ShouldNot(gleak.HaveLeaked(l.goroutines),
			"goroutines left when the spec was over")
	})
	return l
}

// leftoverTimeout bounds how long after Close the last resources of a cluster may be held.
const leftoverTimeout = 5 * time.Second

// heldResources are the open files, listening sockets and child processes of this process. The spec fails where they
// cannot be listed.
func heldResources() held.Resources {
	GinkgoHelper()
	now, err := held.Now()
	Expect(err).NotTo(HaveOccurred())
	return now
}
