package specs

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/junit"
	"github.com/rejoin-db/rejoin/harness/report/page"
	"github.com/rejoin-db/rejoin/harness/report/runs"
)

// noPage is the value of the setting suite.report for no page.
const noPage = "none"

// waiting keeps the journals of a process until the page is written: each in a compressed file, so that no more than one is in
// memory. The first process of the run reads them.
type waiting struct {
	page   string // the file of the page; "" for none
	folder string
}

// keep writes a journal to a file, and returns its path.
func (w *waiting) keep(name string, header journal.Header, events []journal.Event) (path string, err error) {
	if w.folder == "" {
		if w.folder, err = runs.Pending(w.page); err != nil {
			return "", err
		}
	}
	path = filepath.Join(w.folder, name+".jsonl.gz")
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	zipped, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err == nil {
		err = errors.Join(journal.Save(zipped, header, events), zipped.Close())
	}
	return path, errors.Join(err, file.Close())
}

// reportPage writes the page of a run that has ended, in whatever way. A page that cannot be written fails no run: the line says why.
// A run in which no spec ran leaves the page of the run before.
func (s *Suite) reportPage(r *run, report Report) {
	defer r.forget(report)
	if report.SuiteSucceeded && !slices.ContainsFunc(report.SpecReports, func(s types.SpecReport) bool {
		return s.LeafNodeType == types.NodeTypeIt && s.State != types.SpecStateSkipped && s.State != types.SpecStatePending
	}) {
		return
	}
	cluster := s.Settings.Cluster
	c := page.Collection{
		Facts: []page.Fact{{Name: "target", Value: cluster.Target}, {Name: "nodes", Value: strconv.Itoa(cluster.Nodes)}},
		Again: func(text string) string { return r.again(report.SuiteConfig.RandomSeed, text, "") },
	}
	c.AddReports([]types.Report{report})
	path := s.Settings.Suite.Report
	err := errors.Join(addJournals(&c, report), runs.Keep(path, &c))
	if err != nil {
		fmt.Printf("\nreport: %s is not complete: %v\n", path, err)
		return
	}
	fmt.Printf("\nreport: %s\n", fromCheckout(path))
}

// addJournals adds the journals of all specs. The error says which are missing.
func addJournals(c *page.Collection, report Report) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU())) // virtual time has one, and it is over
	var paths []string
	for _, spec := range report.SpecReports {
		for _, entry := range spec.ReportEntries {
			if entry.Name != junit.JournalEntry && entry.Name != page.JournalEntry {
				continue
			}
			path, err := filepath.Abs(entry.StringRepresentation())
			if err != nil {
				return err
			}
			paths = append(paths, path)
		}
	}
	return c.AddJournals(paths, openJournal)
}

func openJournal(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil || filepath.Ext(path) != ".gz" {
		return file, err
	}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unzipped, file}, nil
}

// forget removes what was kept for the page.
func (r *run) forget(report Report) {
	folders := []string{}
	for _, spec := range report.SpecReports {
		for _, entry := range spec.ReportEntries {
			if folder := filepath.Dir(entry.StringRepresentation()); entry.Name == page.JournalEntry && !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	for _, folder := range folders {
		if err := os.RemoveAll(folder); err != nil {
			fmt.Println("report:", err)
		}
	}
}

// fromCheckout names a file for a person: relative to the checkout if the suite is in its first folder, and else absolute, since the
// working directory of the command is not known.
func fromCheckout(path string) string {
	root, err := checkout()
	own, failed := os.Getwd()
	if cmp.Or(err, failed) != nil || filepath.IsAbs(path) || root == own {
		return path
	}
	return filepath.Join(own, path)
}
