package page

import (
	"fmt"
	"slices"
	"strings"
)

// describe adds the head of the page.
func (c *Collection) describe(r *Run) {
	var count [len(groups)]int
	for _, s := range r.Specs {
		count[slices.Index(groups[:], s.Group)]++
	}
	failed, skipped := count[0], count[3]
	ran := len(r.Specs) - skipped
	r.Passed = failed == 0
	switch {
	case failed > 0:
		r.Verdict = fmt.Sprintf("%d of %s failed", failed, counted(ran, "spec"))
	case ran == 0:
		r.Verdict = "No spec ran"
	case count[4] == ran:
		r.Verdict = fmt.Sprintf("%s of which the outcome is not known", counted(ran, "journal"))
	case ran == 1:
		r.Verdict = "The spec passed"
	default:
		r.Verdict = fmt.Sprintf("All %d specs passed", ran-count[4])
	}
	r.Title = "Rejoin"
	for _, report := range c.reports {
		r.Title = report.SuiteDescription
		if !report.SuiteSucceeded && r.Passed {
			r.Passed, r.Verdict = false, "The suite failed: "+strings.Join(report.SpecialSuiteFailureReasons, "; ")
		}
	}
	if skipped > 0 {
		r.Verdict += fmt.Sprintf(", %d skipped", skipped)
	}
	if c.Verdict != "" {
		r.Title, r.Verdict, r.Passed, r.Started = c.Title, c.Verdict, !c.Failed, c.Began
	}
	r.Facts = c.facts()
	for _, f := range slices.Backward(c.Facts) {
		r.Facts = slices.DeleteFunc(r.Facts, func(other Fact) bool { return other.Name == f.Name })
		r.Facts = slices.Insert(r.Facts, 0, f)
	}
	if len(c.reports) > 0 {
		r.Started = c.reports[0].StartTime
		if c.Again != nil {
			r.Again = c.Again("")
		}
		if r.Again == "" {
			r.Again = again(c.reports[0].SuiteConfig.RandomSeed, "", c.settings())
		}
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", thousands(n), what)
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// settings are those of the first journal that has some.
func (c *Collection) settings() map[string]string {
	for _, s := range c.journals {
		if len(s.settings) > 0 {
			return s.settings
		}
	}
	return nil
}

// facts are what all specs of the run have in common.
func (c *Collection) facts() []Fact {
	var facts []Fact
	add := func(name string, values []string) {
		slices.Sort(values)
		values = slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" })
		const most = 4
		if len(values) > most {
			values = append(values[:most:most], fmt.Sprintf("and %d more", len(values)-most))
		}
		if len(values) > 0 {
			facts = append(facts, Fact{name, strings.Join(values, ", ")})
		}
	}
	var seeds, took, targets, nodes, modules []string
	var clusterTime int64
	events := 0
	for _, r := range c.reports {
		seeds = append(seeds, fmt.Sprint(r.SuiteConfig.RandomSeed))
		took = append(took, seconds(r.RunTime.Seconds()))
	}
	for _, s := range c.journals {
		if len(c.reports) == 0 {
			seeds = append(seeds, s.about.Seed)
		}
		targets, modules = append(targets, s.about.Target), append(modules, s.about.Module)
		nodes = append(nodes, fmt.Sprint(s.about.Nodes))
		clusterTime += s.about.Length
		events += s.about.Events
	}
	add("seed", seeds)
	add("target", targets)
	add("nodes", nodes)
	add("real time", took)
	if len(c.journals) > 0 {
		add("time of the clusters", []string{seconds(float64(clusterTime) / 1e9)})
		add("journals", []string{fmt.Sprintf("%d, with %s", len(c.journals), counted(events, "event"))})
	}
	add("version", modules)
	return facts
}

func seconds(s float64) string {
	switch {
	case s >= 120:
		return fmt.Sprintf("%d min %d s", int(s)/60, int(s)%60)
	case s >= 10:
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.2f s", s)
}
