package specs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/junit"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// journals says whose journals are written to files.
type journals struct {
	// Folder takes a file for each, of JSON lines; none is written if it is empty.
	Folder string
	// All tells to write those of specs that passed, too.
	All bool
	// Waiting takes those that are written to no file, for the page; nil if there is no page.
	Waiting *waiting
	// Settings are those of the run, for the first line of each journal.
	Settings map[string]string
}

// begun records in the journal of a cluster that the current spec begins.
func begun(j *journal.Journal) {
	report := CurrentSpecReport()
	j.BeginSpec(report.FullText(), placeOf(report.LeafNodeLocation))
}

// ended records the steps of the current spec, and how it ended.
func ended(j *journal.Journal) {
	noteSteps(j)
	report := CurrentSpecReport()
	at := report.LeafNodeLocation
	if report.Failed() {
		at = report.FailureLocation()
	}
	j.EndSpec(report.FullText(), report.State.String(), placeOf(at), report.FailureMessage())
}

// noteSteps records the steps (By) of the current spec since the last step in the journal.
func noteSteps(j *journal.Journal) {
	last := j.LastStep()
	for _, step := range CurrentSpecReport().SpecEvents.WithType(types.SpecEventByStart) {
		if at := step.TimelineLocation.Time; at.After(last) {
			j.Step(at, step.Message, placeOf(step.CodeLocation))
		}
	}
}

// placeOf names a file by its name alone, so that a journal is the same in every checkout.
func placeOf(at types.CodeLocation) journal.Place {
	return journal.Place{File: filepath.Base(at.FileName), Line: at.LineNumber}
}

// keep writes the journal of a cluster of the spec that ends, if the settings ask for it; if not, to where the page finds it.
// The number is that of the cluster in the spec, from 1.
func (k journals) keep(c *harness.Cluster, number int) {
	report, j, seed := CurrentSpecReport(), c.Journal(), c.Seed()
	name := fmt.Sprintf("%s-%x", fileName(report.FullText()), seed&0xffffff)
	if number > 1 {
		name += fmt.Sprintf("-%d", number)
	}
	header := j.Header()
	header.Seed, header.Settings = seed, k.Settings
	switch {
	case k.Folder != "" && (k.All || report.Failed()):
		path := filepath.Join(k.Folder, name+".jsonl")
		Expect(k.write(path, header, append(j.Events(), c.Messages()...))).To(Succeed())
		AddReportEntry(junit.JournalEntry, shown(path), ReportEntryVisibilityFailureOrVerbose)
	case k.Waiting != nil:
		path, err := k.Waiting.keep(name, header, append(j.Events(), c.Messages()...))
		Expect(err).NotTo(HaveOccurred(), "keep the journal for the page; without a page: REJOIN_REPORT=none")
		AddReportEntry(page.JournalEntry, shown(path), ReportEntryVisibilityNever)
	}
}

func (k journals) write(path string, header journal.Header, events []journal.Event) error {
	if err := os.MkdirAll(k.Folder, 0o777); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(journal.Save(file, header, events), file.Close())
}

// picture writes a picture beside the journals and returns where; or why there is none.
func (k journals) picture(html []byte) string {
	if k.Folder == "" {
		return "not kept: there is no folder for journals"
	}
	path := filepath.Join(k.Folder, fileName(CurrentSpecReport().FullText())+".html")
	if err := errors.Join(os.MkdirAll(k.Folder, 0o777), os.WriteFile(path, html, 0o666)); err != nil {
		return err.Error()
	}
	return path
}

// fileName is a text as a file's name: short, and of letters and digits.
func fileName(text string) string {
	const most = 200 // bytes: file systems take 255
	words := strings.FieldsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	name := strings.ToLower(strings.Join(words, "-"))
	return strings.TrimRight(name[:min(len(name), most)], "-")
}
