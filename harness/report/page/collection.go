package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Collection is what a page is made of. The zero Collection is empty. It holds journals compressed, and no events. It is not safe for
// concurrent use.
type Collection struct {
	// Facts are about the whole run, before those that reports and journals tell. A fact replaces the one of that name.
	Facts []Fact
	// Runs is the address of the list of runs, relative to the page; empty for none.
	Runs string
	// Again returns the command that runs a spec with that text again, or all specs if it is empty; "" if there is none. If nil, it
	// is a line of go tool ginkgo.
	Again func(text string) string
	// Kind is what ran, such as "chaos"; empty for a suite.
	Kind string
	// Title, Verdict, Failed and Began describe what no report of Ginkgo's tells; they count if Verdict is not empty.
	Title, Verdict string
	Failed         bool
	Began          time.Time

	reports  []types.Report
	journals []*saved
	parts    []Part
}

// saved is a journal of a file.
type saved struct {
	path     string
	settings map[string]string
	about    Journal
	tells    Spec   // what the journal itself tells of its spec
	packed   []byte // with gzip: the trace as one line of JSON, and after it the journal as it was saved
	taken    bool   // by a spec of a report
}

// AddReports adds Ginkgo's reports, as junit.Read reads them.
func (c *Collection) AddReports(reports []types.Report) { c.reports = append(c.reports, reports...) }

// AddPart adds a part that the page shows above its list of specs.
func (c *Collection) AddPart(p Part) { c.parts = append(c.parts, p) }

// AddJournal reads a journal, makes its trace and judges it. The path names it. A path that is in the collection already is not
// read again. It blocks on r, and until all judges have decided.
func (c *Collection) AddJournal(path string, r io.Reader) error {
	if c.find(path) != nil {
		return nil
	}
	s, err := read(path, r)
	if err == nil {
		c.put(s)
	}
	return err
}

// AddJournals is AddJournal for files, as many at a time as there are processors. It adds what it can read; the error says what it
// cannot.
func (c *Collection) AddJournals(paths []string, open func(path string) (io.ReadCloser, error)) error {
	made, errs := make([]*saved, len(paths)), make([]error, len(paths))
	seats := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for i, path := range paths {
		if c.find(path) != nil || slices.ContainsFunc(paths[:i], func(other string) bool { return same(other, path) }) {
			continue
		}
		wg.Go(func() {
			seats <- struct{}{}
			defer func() { <-seats }()
			file, err := open(path)
			if err == nil {
				made[i], err = read(path, file)
				err = errors.Join(err, file.Close())
			}
			errs[i] = err
		})
	}
	wg.Wait()
	for i, s := range made {
		if errs[i] == nil && s != nil {
			c.put(s)
		}
	}
	return errors.Join(errs...)
}

func (c *Collection) put(s *saved) {
	s.about.ID = len(c.journals)
	c.journals = append(c.journals, s)
}

func read(path string, r io.Reader) (*saved, error) {
	header, events, err := journal.Load(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	trace := NewTrace(events)
	trace.Judge(header, events)
	s := &saved{path: path, settings: header.Settings}
	s.describe(header, events, trace)
	s.tell(events, trace)
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	err = json.NewEncoder(zipped).Encode(trace)
	if err == nil {
		err = journal.Save(zipped, header, events)
	}
	if err == nil {
		err = zipped.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.packed = packed.Bytes()
	return s, nil
}

// trace opens what was packed.
func (s *saved) trace() (Trace, error) {
	var t Trace
	opened, err := gzip.NewReader(bytes.NewReader(s.packed))
	if err == nil {
		err = json.NewDecoder(opened).Decode(&t)
	}
	return t, err
}

func (s *saved) describe(h journal.Header, events []journal.Event, trace Trace) {
	if own := journal.HeaderOf(events); h.Target == "" {
		h.Seed, h.Target, h.Nodes = cmp.Or(h.Seed, own.Seed), own.Target, own.Nodes
	}
	s.about = Journal{
		File: strings.TrimSuffix(filepath.Base(s.path), ".gz"), Target: h.Target, Nodes: cmp.Or(h.Nodes, len(trace.Nodes)),
		Events: len(events), Length: trace.Length, Module: h.Module,
	}
	if h.Seed != 0 {
		s.about.Seed = fmt.Sprint(h.Seed)
	}
	for _, n := range h.Dropped {
		s.about.Dropped += n
	}
	for _, v := range trace.Verdicts {
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
	r := Run{Parts: c.parts, Runs: c.Runs, Kind: c.Kind}
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
			spec := s.tells
			spec.Journals = []Journal{s.about}
			r.Specs = append(r.Specs, spec)
		}
	}
	arrange(r.Specs)
	c.describe(&r)
	return r
}

// tell keeps what the journal tells of its spec.
func (s *saved) tell(events []journal.Event, trace Trace) {
	spec := Spec{Name: strings.TrimSuffix(s.about.File, ".jsonl"), Group: "unknown"}
	for _, e := range events {
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
	spec.Seconds = float64(trace.Length) / 1e9
	if spec.Group == "unknown" && s.about.Broken > 0 {
		spec.Group = "failed"
	}
	s.tells = spec
}
