package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/page"
	"github.com/rejoin-db/rejoin/harness/report/runs"
)

// keepPage returns what writes the page of a hunt, and says where; nil if the settings want none.
func (s settings) keepPage(out io.Writer) func(chaos.Report) error {
	if s.report == "" {
		return nil
	}
	return func(r chaos.Report) error {
		c, err := pageOf(r)
		if err == nil {
			err = runs.Keep(s.report, c)
		}
		if err != nil {
			return fmt.Errorf("write the page %s: %w", s.report, err)
		}
		_, err = fmt.Fprintf(out, "\nreport: %s\n", s.report)
		return err
	}
}

// pageOf makes a page of what a hunt has done and found. The failing schedule and the shrunk one are its specs.
func pageOf(r chaos.Report) (*page.Collection, error) {
	verdict := fmt.Sprintf("No failure in %d schedules", r.Schedules)
	if r.Found != nil {
		verdict = fmt.Sprintf("Seed %d breaks %s", r.Found.Failed.Schedule.Seed, r.Found.Failed.Failure.Broken)
	}
	c := &page.Collection{Kind: "chaos", Title: "Chaos", Verdict: verdict, Failed: r.Found != nil, Began: r.Began, Facts: []page.Fact{
		{Name: "seed", Value: fmt.Sprint(r.Seed)}, {Name: "target", Value: r.Target},
		{Name: "real time", Value: r.Took.Round(time.Second).String()},
		{Name: "time of the clusters", Value: r.ClusterTime.Round(time.Second).String()}, {Name: "schedules", Value: fmt.Sprint(r.Schedules)},
	}}
	if r.Found != nil {
		if err := addFound(c, r.Found); err != nil {
			return nil, err
		}
	}
	c.AddPart(faultsOf(r))
	c.AddPart(goalsOf(r))
	return c, nil
}

func addFound(c *page.Collection, f *chaos.Found) error {
	c.AddPart(page.Part{Title: "To run it again", Code: f.Again})
	c.AddPart(page.Part{
		Title: fmt.Sprintf("Shrunk from %d faults to %d", len(f.Failed.Schedule.Faults), len(f.Least.Schedule.Faults)),
		Texts: []string{f.Least.Failure.Error()}, Code: f.Least.Schedule.String(),
	})
	c.AddPart(page.Part{Title: "The schedule that failed first", Texts: []string{f.Failed.Failure.Error()}, Code: f.Failed.Schedule.String()})
	c.AddPart(page.Part{Title: "As a spec, to paste", Texts: []string{
		"It imports Ginkgo, Gomega and " + strings.Join(f.Imports, ", ")}, Code: f.Spec})
	var problems []error
	if f.Journal != "" {
		file, err := os.Open(f.Journal)
		if err != nil {
			return err
		}
		problems = append(problems, c.AddJournal(f.Journal, file), file.Close())
	}
	if len(f.Least.Events) > 0 && len(f.Least.Schedule.Faults) < len(f.Failed.Schedule.Faults) {
		problems = append(problems, addEvents(c, fmt.Sprintf("shrunk-%d.jsonl", f.Failed.Schedule.Seed), f.Least))
	}
	return errors.Join(problems...)
}

func addEvents(c *page.Collection, name string, o chaos.Outcome) error {
	header := journal.HeaderOf(o.Events)
	header.Seed = o.Schedule.Seed
	end := journal.Event{Kind: journal.Spec, Node: journal.None, At: time.Now(),
		Spec: &journal.SpecBoundary{Name: "the shrunk schedule", State: "failed"},
		Err:  o.Failure.Error()}
	for i, e := range o.Events {
		if i == 0 || e.End().After(end.At) {
			end.At = e.End()
		}
	}
	var saved bytes.Buffer
	if err := journal.Save(&saved, header, append(o.Events, end)); err != nil {
		return err
	}
	return c.AddJournal(name, &saved)
}

// faultsOf is the table of the faults by kind: those that bit most often first, and then why others were not made.
func faultsOf(r chaos.Report) page.Part {
	p := page.Part{Title: "Faults by kind", Columns: []string{"kind", "drawn", "made", "bit", "not observed", "not made", "why"},
		Texts: []string{fmt.Sprintf(
			"%d schedules, %d operations ok, %d failed, %d with an unknown outcome. A fault bit if its effect was observed.",
			r.Schedules, r.Tally.OK, r.Tally.Failed, r.Tally.Unknown)}}
	for claim, times := range r.Expected {
		p.Texts = append(p.Texts, fmt.Sprintf("Expected in %d schedules, and no failure: %s", times, claim))
	}
	most := 1
	for _, count := range r.Faults {
		most = max(most, count.Bit)
	}
	for _, kind := range r.Kinds() {
		n := r.Faults[kind]
		bit := page.Cell{Text: fmt.Sprint(n.Bit), Bar: float64(n.Bit) / float64(most)}
		made := page.Cell{Text: fmt.Sprint(n.Made)}
		if n.Made == 0 && n.Drawn() > 0 {
			made = page.Cell{Text: "never", Is: "unknown"}
		}
		p.Rows = append(p.Rows, []page.Cell{{Text: string(kind)}, {Text: fmt.Sprint(n.Drawn())}, made, bit, {Text: fmt.Sprint(n.Unseen)},
			{Text: fmt.Sprint(n.NotMade())}, {Text: n.NotMadeWords(), Is: "soft"}})
	}
	return p
}

// goalsOf is the table of the states that were to be reached: those never reached first.
func goalsOf(r chaos.Report) page.Part {
	p := page.Part{Title: fmt.Sprintf("States reached: %d of %d", len(r.Reached), len(chaos.Goals())), Columns: []string{"state", "how often"}}
	for _, goal := range chaos.Goals() {
		if r.Reached[goal] == 0 {
			p.Rows = append(p.Rows, []page.Cell{{Text: string(goal)}, {Text: "never reached", Is: "unknown"}})
		}
	}
	for _, goal := range chaos.Goals() {
		if n := r.Reached[goal]; n > 0 {
			p.Rows = append(p.Rows, []page.Cell{{Text: string(goal)}, {Text: fmt.Sprint(n)}})
		}
	}
	return p
}
