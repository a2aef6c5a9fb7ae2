package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func TestReplay(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command replay")
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// journalOf returns the journal of a spec that ended in that state, with a note.
func journalOf(spec, state, said string) []journal.Event {
	at := func(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }
	return []journal.Event{
		{At: at(0), Kind: journal.Spec, Node: journal.None, Spec: &journal.SpecBoundary{Name: spec}},
		{At: at(1), Kind: journal.Note, Node: journal.None, Text: said},
		{At: at(2), Kind: journal.Spec, Node: journal.None, Spec: &journal.SpecBoundary{State: state}},
	}
}

// write writes a journal to a file in the folder.
func write(folder, name string, events []journal.Event) (path string) {
	GinkgoHelper()
	path = filepath.Join(folder, name)
	file, err := os.Create(path)
	Expect(err).NotTo(HaveOccurred())
	Expect(journal.Encode(file, events)).To(Succeed())
	Expect(file.Close()).To(Succeed())
	return path
}
