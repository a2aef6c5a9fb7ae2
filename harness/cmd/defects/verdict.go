package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/again"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/settings"
)

// verdict is the result of the suite with one bug.
type verdict struct {
	defect  defects.Defect // with an empty name for no bug
	specs   int            // specs that ran
	catches []catch        // specs that failed, in the order in which they ended
	about   int            // number of those about the bug
	of      int            // number of specs about the bug that ran
	broke   string         // why the run aborted without a failed spec; empty if it did not
	took    time.Duration  // sum over all runs
	trial   trial          // the run that the verdict describes
	runs    int            // runs until one caught the bug
	unasked string         // why no run could catch it; empty if one could
}

// catch is a spec that failed.
type catch struct {
	spec  string        // text without the first container
	text  string        // full text; empty if the failed node is not a spec
	said  string        // first line of the failure
	whole string        // failure and location, without memory addresses
	after time.Duration // since the suite began
	about bool          // the spec is about the bug
}

func (v verdict) caught() bool { return len(v.catches) > 0 || v.broke != "" }

// best returns the first catch by a spec about the bug, or else the first.
func (v verdict) best() catch {
	for _, c := range v.catches {
		if c.about {
			return c
		}
	}
	if len(v.catches) > 0 {
		return v.catches[0]
	}
	return catch{spec: "the run aborted", said: v.broke, whole: v.broke, after: v.took}
}

func (v verdict) String() string {
	name, what := v.defect.Name, "missed"
	switch {
	case name == "" && !v.caught():
		name, what = "(no bug)", "passed"
	case name == "":
		name, what = "(no bug)", "failed"
	case v.caught():
		what = "caught"
	}
	line := fmt.Sprintf("%-40s %-8s %6.1f s", name, what, v.took.Seconds())
	switch {
	case v.unasked != "":
		return line + "  by no run: " + v.unasked
	case !v.caught() && v.trial.yield > 0:
		return fmt.Sprintf("%s  by none of %d specs, in none of %d interleavings", line, v.specs, v.runs)
	case !v.caught():
		return fmt.Sprintf("%s  by none of %d specs", line, v.specs)
	}
	best := v.best()
	text := fmt.Sprintf("%s  by %d of %d specs; %d of the %d of %s\n%60s%s\n%60s%s",
		line, len(v.catches), v.specs, v.about, v.of, v.defect.About, "", best.spec, "", best.said)
	if again := v.again(); again != "" {
		text += fmt.Sprintf("\n%60swith interleaving %d, in run %d; again: %s", "", v.trial.interleave, v.runs, again)
	}
	return text
}

// again returns the command that runs the best catch again; "" for an ordinary run and for a failure outside of
// specs.
func (v verdict) again() string {
	best := v.best()
	if v.trial.yield == 0 || best.text == "" {
		return ""
	}
	cluster := settings.Default().Cluster
	cluster.Interleave, cluster.Yield, cluster.Defect = v.trial.interleave, v.trial.yield, v.defect.Name
	return again.Spec{Seed: v.trial.seed, Text: best.text, Cluster: cluster}.Line()
}

var addresses = regexp.MustCompile("0x[0-9a-f]+")

// read reads the report of a run. It returns false if the report is missing or truncated.
func (v *verdict) read(path string) (bool, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var reports []types.Report
	if json.Unmarshal(content, &reports) != nil {
		return false, nil
	}
	isAbout, err := types.ParseLabelFilter(v.defect.About)
	if err != nil {
		return false, fmt.Errorf("the label filter of %s: %w", v.defect.Name, err)
	}
	for _, report := range reports {
		for _, spec := range report.SpecReports {
			v.add(report, spec, isAbout)
		}
	}
	slices.SortStableFunc(v.catches, func(a, b catch) int { return cmp.Compare(a.after, b.after) })
	return true, nil
}

// add adds the result of a spec.
func (v *verdict) add(report types.Report, spec types.SpecReport, isAbout types.LabelFilter) {
	failed := spec.State.Is(types.SpecStateFailureStates) && !spec.State.Is(types.SpecStateInterrupted)
	isSpec := spec.LeafNodeType.Is(types.NodeTypeIt)
	about := isSpec && v.defect.About != "" && isAbout(spec.Labels())
	if isSpec && (failed || spec.State.Is(types.SpecStatePassed)) {
		v.specs++
		if about {
			v.of++
		}
	}
	if !failed {
		return
	}
	if about {
		v.about++
	}
	text := ""
	if isSpec {
		text = spec.FullText()
	}
	v.catches = append(v.catches, catch{
		text: text, whole: addresses.ReplaceAllString(fmt.Sprintf("%s\n%s", spec.FailureLocation(), spec.FailureMessage()), "0x…"),
		spec: strings.TrimPrefix(spec.FullText(), "A replicated SQL database "), said: firstLine(spec.FailureMessage()),
		after: spec.EndTime.Sub(report.StartTime), about: about,
	})
}
