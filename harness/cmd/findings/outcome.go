package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/findings"
)

// row is a finding, and whether its last run has shown it.
type row struct {
	Module string `json:"module"`
	Date   string `json:"date"` // of the run, as in 2026-11-30
	Shown  bool   `json:"shown"`
	findings.Record
}

// outcome is what the suite of a module has shown.
type outcome struct {
	module string
	rows   []row
	absent string // why the database does not run here, such as what to install
	broken string // why the suite itself failed
}

// missed tells whether something was not shown again.
func (o outcome) missed() bool {
	for _, r := range o.rows {
		if !r.Shown {
			return true
		}
	}
	return o.broken != ""
}

// read reads Ginkgo's report of a suite that ran on a day.
func read(path, module string, day time.Time) (o outcome, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return o, err
	}
	var reports []types.Report
	if err := json.Unmarshal(content, &reports); err != nil {
		return o, fmt.Errorf("read the report of %s: %w", module, err)
	}
	o.module = module
	for _, report := range reports {
		for _, spec := range report.SpecReports {
			if err := o.add(spec, day); err != nil {
				return o, err
			}
		}
	}
	if len(o.rows) == 0 && o.absent == "" && o.broken == "" {
		o.broken = "no finding ran"
	}
	return o, nil
}

func (o *outcome) add(spec types.SpecReport, day time.Time) error {
	failed := spec.State.Is(types.SpecStateFailureStates)
	if spec.LeafNodeType != types.NodeTypeIt {
		switch {
		case failed:
			o.broken = words(spec.Failure.Message)
		case spec.State == types.SpecStateSkipped && spec.Failure.Message != "":
			o.absent = words(spec.Failure.Message)
		}
		return nil
	}
	record, has, err := findings.RecordOf(spec)
	if err != nil {
		return err
	}
	switch {
	case has:
		if failed && record.Seen == "" {
			record.Seen = words(spec.Failure.Message)
		}
		o.rows = append(o.rows, row{o.module, day.Format(time.DateOnly), !failed && spec.State == types.SpecStatePassed, record})
	case failed:
		o.broken = fmt.Sprintf("%s: %s", spec.FullText(), words(spec.Failure.Message))
	}
	return nil
}

// words is the beginning of a text, in one line.
func words(text string) string {
	const most = 300 // runes
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > most {
		line = append(line[:most], '…')
	}
	return string(line)
}
