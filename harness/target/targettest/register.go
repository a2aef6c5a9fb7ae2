package targettest

import (
	"errors"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Run runs the checks on the target as a suite of Ginkgo specs. Call it from a test, once in a process; a package that has other
// specs calls Register instead.
func Run(t *testing.T, over target.Target, options ...Options) {
	t.Helper()
	RegisterFailHandler(Fail)
	Register(over, options...)
	RunSpecs(t, "Conformance")
}

// Register declares the checks as Ginkgo specs. Most of them share one cluster, which is replaced after a spec that failed.
func Register(over target.Target, options ...Options) {
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	o = o.filled()
	Describe("An adapter", Ordered, ContinueOnFailure, Label("suite:conformance"), func() {
		var shared *subject
		leave := func() {
			if shared != nil {
				ending := shared
				shared = nil
				Expect(ending.shut()).To(Succeed())
			}
		}
		BeforeAll(func() { DeferCleanup(leave) }) // what is set up before all lasts for all specs, and so does a bubble of virtual time
		for _, c := range Checks() {
			It(c.Name, func(ctx SpecContext) {
				if c.Alone {
					leave()
					judge(Try(ctx, over, c, o))
					return
				}
				if shared == nil {
					var err error
					shared, err = boot(ctx, over, o)
					judge(err)
				}
				err := shared.check(ctx, c)
				if skipped := (*Skipped)(nil); err != nil && !errors.As(err, &skipped) || shared.left(ctx) != nil {
					leave()
				}
				judge(err)
			}, SpecTimeout(o.Each))
		}
	})
}

// judge passes, skips or fails the spec.
func judge(err error) {
	GinkgoHelper()
	if skipped := (*Skipped)(nil); errors.As(err, &skipped) {
		Skip(skipped.Reason)
	}
	if err != nil {
		Fail(err.Error())
	}
}
