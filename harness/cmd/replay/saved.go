package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// saved is a journal that was read from a file.
type saved struct {
	name   string
	header journal.Header
	events []journal.Event
}

func load(path string) (*saved, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a journal: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	header, events, err := journal.Load(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &saved{filepath.Base(path), header, events}, nil
}

// loadAll loads the journals in a folder, by file name.
func loadAll(folder string) (map[string]*saved, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	all := make(map[string]*saved)
	for _, path := range paths {
		j, err := load(path)
		if err != nil {
			return nil, err
		}
		all[j.name] = j
	}
	return all, nil
}

// spec returns the full text of the journal's spec; empty if the journal has none.
func (j *saved) spec() string {
	for _, e := range j.events {
		if e.Spec != nil && e.Spec.Name != "" {
			return e.Spec.Name
		}
	}
	return ""
}

// failed reports whether the journal's spec or schedule failed.
func (j *saved) failed() bool {
	for _, e := range j.events {
		if e.Spec != nil && e.Spec.State != "" && e.Spec.State != journal.Passed {
			return true
		}
	}
	return false
}
