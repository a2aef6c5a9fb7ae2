package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/runs"
)

var _ = Describe("The page of a hunt", func() {
	report := chaos.Report{
		Target: "virtual", Seed: 7, Began: time.Now(), Schedules: 3,
		Faults:  map[fault.Kind]chaos.Count{"crash": {Made: 2, Bit: 1}, "wipe": {NotDue: 4}},
		Reached: map[chaos.Goal]int{chaos.Goals()[0]: 2},
	}

	It("has the faults by kind, and the states that were never reached", func() {
		c, err := pageOf(report)
		Expect(err).NotTo(HaveOccurred())
		r := c.Run()
		Expect(r.Passed).To(BeTrue())
		Expect(r.Verdict).To(Equal("No failure in 3 schedules"))
		Expect(r.Parts).To(HaveLen(2))
		Expect(r.Parts[0].Rows).To(HaveLen(2))
		Expect(r.Parts[0].Rows[0][0].Text).To(Equal("crash"))
		Expect(r.Parts[0].Rows[1][2].Text).To(Equal("never"))
		Expect(r.Parts[1].Rows).To(HaveLen(len(chaos.Goals())))
		Expect(r.Parts[1].Rows[0][1].Text).To(Equal("never reached"))
	})

	It("has the schedule that failed, the shrunk one with its journal, and the spec", func() {
		failed := chaos.Outcome{Schedule: chaos.Schedule{Seed: 9, Faults: make([]chaos.Entry, 3)},
			Failure: &chaos.Failure{Broken: chaos.Safety, Reason: "7 is lost"}}
		least := failed
		least.Schedule.Faults = make([]chaos.Entry, 1)
		least.Events = []journal.Event{{At: time.Unix(1, 0), Kind: journal.Note, Node: journal.None, Text: "a note"}}
		with := report
		with.Found = &chaos.Found{Failed: failed, Least: least, Again: "make replay", Spec: "It()"}
		file := filepath.Join(GinkgoT().TempDir(), "index.html")
		var out strings.Builder
		Expect(settings{report: file}.keepPage(&out)(with)).To(Succeed())
		Expect(out.String()).To(Equal("\nreport: " + file + "\n"))
		kept, err := runs.Read(runs.Folder(file))
		Expect(err).NotTo(HaveOccurred())
		Expect(kept).To(HaveExactElements(And(HaveField("Kind", "chaos"), HaveField("Verdict", "Seed 9 breaks safety"), HaveField("Failed", 1))))
		Expect(os.ReadFile(file)).To(ContainSubstring(`id="journal-0"`))
	})

	It("is not written if there is no file for it", func() { Expect(settings{}.keepPage(io.Discard)).To(BeNil()) })
})
