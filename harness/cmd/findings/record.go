package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// load reads the rows of earlier runs; none if the file does not exist.
func load(path string) (rows []row, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("read the record %s: %w", path, err)
	}
	return rows, nil
}

func save(path string, rows []row) error {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(rows); err != nil {
		return err
	}
	return os.WriteFile(path, content.Bytes(), 0o644)
}

// merge puts the rows of a run in the place of earlier ones. If all findings of the module ran, those that it does not have any
// more are gone. If none ran, all stay.
func merge(kept []row, ran outcome, all bool) []row {
	if len(ran.rows) == 0 {
		return kept
	}
	merged := slices.DeleteFunc(slices.Clone(kept), func(r row) bool {
		return r.Module == ran.module && (all || slices.ContainsFunc(ran.rows, r.same))
	})
	merged = append(merged, ran.rows...)
	slices.SortFunc(merged, func(a, b row) int { // the suite runs its specs in random order
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Setting, b.Setting))
	})
	return merged
}

// same tells whether two rows are of one finding.
func (r row) same(other row) bool {
	return r.Module == other.Module && r.Setting == other.Setting && r.Title == other.Title
}
