package specs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Journals says whose journals are written to files.
type Journals struct {
	// Folder takes a file for each, of JSON lines; none is written if it is empty.
	Folder string
	// All tells to write those of specs that passed, too.
	All bool
}

// begun and ended are a spec's boundaries in its journal.
func begun(j *journal.Journal) {
	j.Record(journal.Event{Kind: journal.Spec, Node: journal.Nobody, Text: "begin " + CurrentSpecReport().FullText()})
}

func ended(j *journal.Journal) {
	report := CurrentSpecReport()
	j.Record(journal.Event{Kind: journal.Spec, Node: journal.Nobody, Text: "end " + report.State.String(), Err: report.FailureMessage()})
}

// keep writes the journal of a cluster of the spec that ends, if the settings ask for it.
// The number is that of the cluster in the spec, from 1.
func (k Journals) keep(j *journal.Journal, seed uint64, number int) {
	report := CurrentSpecReport()
	if k.Folder == "" || !k.All && !report.Failed() {
		return
	}
	name := fmt.Sprintf("%s-%x", fileName(report.FullText()), seed&0xffffff)
	if number > 1 {
		name += fmt.Sprintf("-%d", number)
	}
	path := filepath.Join(k.Folder, name+".jsonl")
	Expect(k.write(path, j, seed)).To(Succeed())
	AddReportEntry(journalEntry, shown(path), ReportEntryVisibilityFailureOrVerbose)
}

// journalEntry is the name of the report's entry that says where the journal is.
const journalEntry = "the journal of the spec, as JSON lines"

func (k Journals) write(path string, j *journal.Journal, seed uint64) error {
	if err := os.MkdirAll(k.Folder, 0o777); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	header := j.Header()
	header.Seed = seed
	return errors.Join(journal.Save(file, header, j.Events()), file.Close())
}

// picture writes a picture beside the journals and returns where; or why there is none.
func (k Journals) picture(html []byte) string {
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
