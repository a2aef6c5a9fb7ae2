package gocode_test

import (
	"io"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/gocode"
	"github.com/rejoin-db/rejoin/harness/local"
)

func TestGocode(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Gocode")
}

var _ = Describe("A literal", func() {
	It("leaves out what is zero", func() {
		Expect(gocode.Literal(local.Options{TrailingLogs: -1, SnapshotInterval: 1500 * time.Millisecond})).To(Equal(
			"local.Options{SnapshotInterval: 1500*time.Millisecond, TrailingLogs: -1}"))
	})

	It("has integers that are zero, if they are wanted", func() {
		f := fault.Fault{Kind: "crash", Rule: &fault.Rule{Loss: 0.5}, Links: []fault.Link{{From: 0, To: 1}}}
		Expect(gocode.Literal(f)).To(Equal(`fault.Fault{Kind: "crash", Links: []fault.Link{{To: 1}}, Rule: &fault.Rule{Loss: 0.5}}`))
		Expect(gocode.NumberedLiteral(f)).To(Equal(
			`fault.Fault{Kind: "crash", Node: 0, Links: []fault.Link{{From: 0, To: 1}}, Rule: &fault.Rule{Loss: 0.5}}`))
	})

	It("has slices in slices", func() {
		Expect(gocode.Literal(fault.Fault{Kind: "ring", Node: -1, Groups: [][]int{{0, 1}, {2}}})).To(Equal(
			`fault.Fault{Kind: "ring", Node: -1, Groups: [][]int{{0, 1}, {2}}}`))
	})

	It("refuses what it cannot print", func() {
		_, err := gocode.Literal(local.Options{Log: io.Discard})
		Expect(err).To(MatchError(ContainSubstring("field Log of local.Options: ")))
	})
})

var _ = It("Code imports the packages that it names", func() {
	Expect(gocode.Imports("chaos.Run(default.X, notime.X)", "time", "a/chaos", "a/fault")).To(Equal([]string{"a/chaos"}))
})
