package matchers_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

func TestMatchers(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Matchers")
}

const patience = SpecTimeout(20 * time.Second)

func boot() (*harness.Cluster, *fake.Cluster) {
	GinkgoHelper()
	var t fake.Target
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := harness.Boot(ctx, &t)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c, t.Last()
}

func node(c *harness.Cluster, i int) *harness.Node {
	GinkgoHelper()
	n, err := c.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return n
}

// shows makes a node show other than it is.
func shows(n *fake.Node, change func(*target.Status)) {
	n.OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
		change(&s)
		return s, nil
	})
}

// fails makes a node show nothing.
func fails(n *fake.Node, err error) {
	n.OnStatus(func(context.Context, target.Status) (target.Status, error) { return target.Status{}, err })
}

// holds expects the matcher to hold, and returns what its negation says.
func holds(actual any, matcher types.GomegaMatcher) string {
	GinkgoHelper()
	matched, err := matcher.Match(actual)
	Expect(err).NotTo(HaveOccurred())
	Expect(matched).To(BeTrue(), func() string { return matcher.FailureMessage(actual) })
	return matcher.NegatedFailureMessage(actual)
}

// holdsNot expects the matcher not to hold, and returns what it says.
func holdsNot(actual any, matcher types.GomegaMatcher) string {
	GinkgoHelper()
	matched, err := matcher.Match(actual)
	Expect(err).NotTo(HaveOccurred())
	Expect(matched).To(BeFalse())
	return matcher.FailureMessage(actual)
}

// refused expects the matcher to be an error, so that it fails either way.
func refused(actual any, matcher types.GomegaMatcher) error {
	GinkgoHelper()
	matched, err := matcher.Match(actual)
	Expect(matched).To(BeFalse())
	Expect(err).To(HaveOccurred())
	for _, assertion := range []func(){
		func() { Expect(actual).To(matcher) }, func() { Expect(actual).NotTo(matcher) },
	} {
		Expect(InterceptGomegaFailures(assertion)).To(HaveExactElements(ContainSubstring(err.Error())))
	}
	return err
}
