package page

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Collection is what a page is made of. The zero Collection is empty. It is not safe for concurrent use.
type Collection struct {
	reports  []types.Report
	journals []*saved
}

// saved is a journal of a file.
type saved struct {
	path   string
	header journal.Header
	events []journal.Event
	trace  Trace
	about  Journal
	taken  bool // by a spec of a report
}

// AddReports adds Ginkgo's reports, as junit.Read reads them.
func (c *Collection) AddReports(reports []types.Report) { c.reports = append(c.reports, reports...) }

// AddJournal reads a journal, makes its trace and judges it. The path names it. A path that is in the collection already is not
// read again. It blocks on r, and until all judges have decided.
func (c *Collection) AddJournal(path string, r io.Reader) error {
	if c.find(path) != nil {
		return nil
	}
	header, events, err := journal.Load(r)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s := &saved{path: path, header: header, events: events, trace: NewTrace(events)}
	s.trace.Judge(header, events)
	s.describe(len(c.journals))
	c.journals = append(c.journals, s)
	return nil
}

func (s *saved) describe(id int) {
	h := s.header
	if own := journal.HeaderOf(s.events); h.Target == "" {
		h.Seed, h.Target, h.Nodes = cmp.Or(h.Seed, own.Seed), own.Target, own.Nodes
	}
	s.about = Journal{
		ID: id, File: filepath.Base(s.path), Target: h.Target, Nodes: cmp.Or(h.Nodes, len(s.trace.Nodes)),
		Events: len(s.events), Length: s.trace.Length, Module: h.Module,
	}
	if h.Seed != 0 {
		s.about.Seed = fmt.Sprint(h.Seed)
	}
	for _, n := range h.Dropped {
		s.about.Dropped += n
	}
	for _, v := range s.trace.Verdicts {
		if v.Result == "broken" {
			s.about.Broken++
		}
	}
}

// Missing returns the paths of journals that the reports name and that the collection does not have.
func (c *Collection) Missing() []string {
	var missing []string
	for _, report := range c.reports {
		for _, spec := range report.SpecReports {
			for _, path := range journalsOf(report, spec) {
				if c.findNamed(path) == nil && !slices.Contains(missing, path) {
					missing = append(missing, path)
				}
			}
		}
	}
	return missing
}

// find returns the journal of a path; of a report of another machine, the journal with the same name.
func (c *Collection) find(path string) *saved {
	if i := slices.IndexFunc(c.journals, func(s *saved) bool { return same(s.path, path) }); i >= 0 {
		return c.journals[i]
	}
	return nil
}

func (c *Collection) findNamed(path string) *saved {
	if found := c.find(path); found != nil {
		return found
	}
	if i := slices.IndexFunc(c.journals, func(s *saved) bool { return filepath.Base(s.path) == filepath.Base(path) }); i >= 0 {
		return c.journals[i]
	}
	return nil
}

func same(a, b string) bool {
	absolute := func(path string) string {
		if made, err := filepath.Abs(path); err == nil {
			return made
		}
		return path
	}
	return absolute(a) == absolute(b)
}

// Run returns what the list shows: the specs of the reports with their journals, and journals that no report names.
func (c *Collection) Run() Run {
	r := Run{}
	for _, s := range c.journals {
		s.taken = false
	}
	for _, report := range c.reports {
		for _, spec := range report.SpecReports {
			if spec.LeafNodeType == types.NodeTypeIt || spec.State.Is(types.SpecStateFailureStates) {
				r.Specs = append(r.Specs, c.ofReport(report, spec))
			}
		}
	}
	for _, s := range c.journals {
		if !s.taken {
			r.Specs = append(r.Specs, s.ofJournal())
		}
	}
	arrange(r.Specs)
	c.describe(&r)
	return r
}

// ofJournal is the spec that a journal tells of.
func (s *saved) ofJournal() Spec {
	spec := Spec{Name: strings.TrimSuffix(s.about.File, ".jsonl"), Group: "unknown", Journals: []Journal{s.about}}
	for _, e := range s.events {
		if e.Spec == nil {
			continue
		}
		if e.Spec.Name != "" {
			spec.Name = e.Spec.Name
		}
		place := ""
		if e.Place != nil {
			place = fmt.Sprintf("%s:%d", e.Place.File, e.Place.Line)
		}
		if e.Spec.State == "" {
			spec.Place = place
			continue
		}
		spec.State, spec.Group = e.Spec.State, groupOf(e.Spec.State)
		if e.Err != "" && spec.Group == "failed" {
			spec.Failure = &Failure{Message: e.Err, Place: place, Cause: cause(e.Err)}
		}
	}
	spec.Seconds = float64(s.trace.Length) / 1e9
	if spec.Group == "unknown" && s.about.Broken > 0 {
		spec.Group = "failed"
	}
	return spec
}
