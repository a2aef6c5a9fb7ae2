package virtual_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/report"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// failing is set in the process that runs the specs that fail on purpose.
const failing = "REJOIN_TEST_FAILING_SPECS"

var _ = func() bool {
	if os.Getenv(failing) == "" {
		return true
	}
	return Describe("Fails", Label("fails"), Ordered, ContinueOnFailure, func() { // Ordered keeps the written order
		Context("in a bubble", virtual.Bubble(virtual.RealLimit(10*time.Second)), func() {
			var cleaned atomic.Bool
			BeforeEach(func() {
				cleaned.Store(false)
				DeferCleanup(func() { cleaned.Store(true); AddReportEntry("cleaned up", inVirtualTime()) })
			})
			It("by an assertion", func() {
				time.Sleep(time.Hour)
				Expect(1).To(Equal(2), "the assertion that fails")
			})
			It("by an assertion in a goroutine", func() {
				var wg sync.WaitGroup
				wg.Go(func() {
					defer GinkgoRecover()
					time.Sleep(time.Hour)
					Fail("the goroutine fails")
				})
				wg.Wait()
			})
			It("by a panic", func() { panic(errors.New("boom")) })
			It("by an Eventually", func(ctx SpecContext) {
				Eventually(ctx, func() int { return 1 }).WithTimeout(time.Hour).WithPolling(time.Second).Should(Equal(2))
			})
			It("by a leak", func() { go leaky() })
			It("by a leak beside a ticker", func() {
				go func() {
					for range time.NewTicker(time.Second).C {
					}
				}()
			})
			It("by a wait that never ends", func(ctx SpecContext) {
				<-make(chan struct{})
			})
			It("by a hang that stops with its context", func(ctx SpecContext) {
				go func() {
					for ctx.Err() == nil {
						time.Sleep(time.Millisecond)
					}
				}()
				<-ctx.Done()
				AddReportEntry("cause", context.Cause(ctx).Error())
			}, SpecTimeout(300*time.Millisecond))
			It("by a hang beside tickers that ignores its context", func(ctx SpecContext) {
				busy(&cleaned)
				<-make(chan struct{})
			}, SpecTimeout(300*time.Millisecond))
			It("by too much real time", func(ctx SpecContext) {
				busy(&cleaned)
				<-ctx.Done()
				AddReportEntry("cause", context.Cause(ctx).Error())
				Fail("it was cut")
			})
			It("by runtime.Goexit", func() { runtime.Goexit() })
			It("by a hang with a cluster", func(ctx SpecContext) {
				c, err := harness.Boot(ctx, virtual.New(virtual.Options{}))
				Expect(err).NotTo(HaveOccurred())
				DeferCleanup(c.Close)
				AttachProgressReporter(func() string { return report.Cluster(context.Background(), c, 10) })
				<-make(chan struct{})
			}, SpecTimeout(time.Second))
			It("passes after the failures", func() { time.Sleep(time.Hour) })
		})
	})
}()

func leaky() { select {} }

// busy lets virtual time pass until the clean-up.
func busy(over *atomic.Bool) {
	go func() {
		for !over.Load() {
			time.Sleep(time.Millisecond)
		}
	}()
}

var _ = Describe("A spec that fails in a bubble", Ordered, func() {
	var reports map[string]types.SpecReport

	BeforeAll(func(ctx SpecContext) {
		file := filepath.Join(GinkgoT().TempDir(), "report.json")
		command := exec.CommandContext(ctx, os.Args[0], "-test.run=TestVirtual", "--ginkgo.label-filter=fails",
			"--ginkgo.grace-period=4s", "--ginkgo.json-report="+file)
		command.Env = append(os.Environ(), failing+"=1")
		output, err := command.CombinedOutput()
		Expect(err).To(HaveOccurred(), "the specs must fail")
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred(), string(output))
		var suites []types.Report
		Expect(json.Unmarshal(content, &suites)).To(Succeed())
		reports = make(map[string]types.SpecReport)
		for _, r := range suites[0].SpecReports {
			reports[r.LeafNodeText] = r
		}
	}, NodeTimeout(time.Minute))

	// cleanedUp expects that the clean-up ran, in the bubble.
	cleanedUp := func(r types.SpecReport) {
		GinkgoHelper()
		Expect(r.ReportEntries).To(ContainElement(And(HaveField("Name", "cleaned up"), HaveField("Value.AsJSON", "true"))))
	}

	It("is reported at the line of the assertion", func() {
		r := reports["by an assertion"]
		Expect(r.State).To(Equal(types.SpecStateFailed))
		Expect(r.Failure.Message).To(ContainSubstring("the assertion that fails"))
		Expect(r.Failure.Location.FileName).To(HaveSuffix("failing_test.go"))
		Expect(r.Failure.Location.LineNumber).To(Equal(r.LeafNodeLocation.LineNumber + 2))
		cleanedUp(r)
		r = reports["by an assertion in a goroutine"]
		Expect(r.State).To(Equal(types.SpecStateFailed))
		Expect(r.Failure.Message).To(Equal("the goroutine fails"))
		Expect(r.Failure.Location.LineNumber).To(Equal(r.LeafNodeLocation.LineNumber + 5))
		r = reports["by an Eventually"]
		Expect(r.Failure.Message).To(ContainSubstring("Timed out after 3600.000s"))
		Expect(r.Failure.Location.LineNumber).To(Equal(r.LeafNodeLocation.LineNumber + 1))
		Expect(r.RunTime).To(BeNumerically("<", 10*time.Second))
	})

	It("shows the panic and its position", func() {
		r := reports["by a panic"]
		Expect(r.State).To(Equal(types.SpecStatePanicked))
		Expect(r.Failure.ForwardedPanic).To(And(HavePrefix("boom"), ContainSubstring("failing_test.go:")))
		cleanedUp(r)
	})

	It("is reported as a panic after runtime.Goexit", func() {
		r := reports["by runtime.Goexit"]
		Expect(r.State).To(Equal(types.SpecStatePanicked))
		cleanedUp(r)
	})

	It("shows the goroutine that it leaked", func() {
		for _, name := range []string{"by a leak", "by a leak beside a ticker"} {
			r := reports[name]
			Expect(r.State).To(Equal(types.SpecStateFailed))
			Expect(r.Failure.Message).To(And(ContainSubstring("1 goroutine was left"), ContainSubstring("failing_test.go:")))
			cleanedUp(r)
		}
		Expect(reports["by a leak"].Failure.Message).To(ContainSubstring("virtual_test.leaky"))
	})

	It("ends at the limit of virtual time if it waits forever, and shows the bubble's goroutines", func() {
		r := reports["by a wait that never ends"]
		Expect(r.State).To(Equal(types.SpecStateFailed))
		Expect(r.Failure.Message).To(And(
			ContainSubstring("168h0m0s of virtual time"), ContainSubstring("chan receive"), ContainSubstring("failing_test.go:")))
		cleanedUp(r)
	})

	It("ends at its timeout in real time", func() {
		r := reports["by a hang that stops with its context"]
		Expect(r.State).To(Equal(types.SpecStateTimedout))
		Expect(r.Failure.ProgressReport.AdditionalReports).To(ContainElement(ContainSubstring("failing_test.go:")))
		Expect(r.ReportEntries).To(ContainElement(And(
			HaveField("Name", "cause"), HaveField("Value.AsJSON", ContainSubstring("spec timeout occurred")))))
		cleanedUp(r)
	})

	It("is abandoned if it ignores its context, and is cleaned up", func() {
		r := reports["by a hang beside tickers that ignores its context"]
		Expect(r.State).To(Equal(types.SpecStateTimedout))
		Expect(r.Failure.AdditionalFailure.Failure.Message).To(And(
			ContainSubstring("has not ended"), ContainSubstring("failing_test.go:")))
		cleanedUp(r)
	})

	It("shows its cluster, from outside of the bubble", func() {
		r := reports["by a hang with a cluster"]
		Expect(r.State).To(Equal(types.SpecStateTimedout))
		Expect(r.Failure.ProgressReport.AdditionalReports).To(ContainElement(And(
			ContainSubstring("cluster of 3 nodes"), MatchRegexp(`0 n0 +online +online`), MatchRegexp(`1 n1 +online .* \?`))))
		leak := HaveField("Failure.Message", ContainSubstring("1 goroutine was left"))
		Expect(r.AdditionalFailures).To(ConsistOf(leak), "the cluster left nothing")
		cleanedUp(r)
	})

	It("ends at the bubble's limit of real time", func() {
		r := reports["by too much real time"]
		Expect(r.Failure.Message).To(Equal("it was cut"))
		Expect(r.ReportEntries).To(ContainElement(And(
			HaveField("Name", "cause"), HaveField("Value.AsJSON", ContainSubstring("10s of real time")))))
		cleanedUp(r)
	})

	It("does not affect the next", func() {
		Expect(reports["passes after the failures"].State).To(Equal(types.SpecStatePassed))
	})
})
