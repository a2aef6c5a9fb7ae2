package page_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/internal/made"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// opened is what a browser reads of a page.
type opened struct {
	run    page.Run
	traces []page.Trace
	lines  []string // of each journal, as it was saved
}

var blobs = regexp.MustCompile(`<script type="text/plain" id="([^"]+)">([^<]*)</script>`)

func open(t *testing.T, html string) opened {
	t.Helper()
	var o opened
	for _, found := range blobs.FindAllStringSubmatch(html, -1) {
		unzipped, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(found[2])))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(unzipped)
		if err != nil {
			t.Fatal(err)
		}
		if found[1] == "run" {
			read(t, content, &o.run)
			continue
		}
		if want := fmt.Sprintf("journal-%d", len(o.traces)); found[1] != want {
			t.Errorf("the page has %s where %s was expected", found[1], want)
		}
		first, rest, _ := bytes.Cut(content, []byte("\n"))
		var trace page.Trace
		read(t, first, &trace)
		o.traces, o.lines = append(o.traces, trace), append(o.lines, string(rest))
	}
	return o
}

func read(t *testing.T, content []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, c *page.Collection) string {
	t.Helper()
	var html strings.Builder
	if err := c.Write(&html); err != nil {
		t.Fatal(err)
	}
	return html.String()
}

func add(t testing.TB, c *page.Collection, path string, events []journal.Event) {
	t.Helper()
	var saved bytes.Buffer
	if err := journal.Save(&saved, journal.HeaderOf(events), events); err != nil {
		t.Fatal(err)
	}
	if err := c.AddJournal(path, &saved); err != nil {
		t.Fatal(err)
	}
}

func TestPageAgreesWithJournals(t *testing.T) {
	files, err := filepath.Glob("../../../fixtures/journals/*.jsonl")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	var c page.Collection
	var all [][]journal.Event
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		events, err := journal.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events)
		if err := c.AddJournal(file, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	all = append(all, made.Journal("A made spec", 7, 900))
	add(t, &c, "made.jsonl", all[3])
	o := open(t, write(t, &c))
	if len(o.traces) != len(all) || len(o.run.Specs) != len(all) {
		t.Fatalf("%d traces and %d specs of %d journals", len(o.traces), len(o.run.Specs), len(all))
	}
	for i, events := range all {
		lines, err := journal.Decode(strings.NewReader(o.lines[i]))
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != len(events) || len(lines) == 0 {
			t.Fatalf("the page has %d lines of a journal of %d events", len(lines), len(events))
		}
		agrees(t, o.traces[i], lines)
	}
}

// agrees checks each lane of a trace against the events.
func agrees(t *testing.T, trace page.Trace, events []journal.Event) {
	t.Helper()
	count := make(map[journal.Kind]int)
	for i, e := range events {
		count[e.Kind]++
		if at := trace.Begin.Add(nanos(trace.At[i])); !at.Equal(e.At) || trace.Took[i] != int64(e.Took) || trace.Words[i] != e.String() {
			t.Fatalf("event %d is %v at %v and not %v", i, trace.Words[i], at, e)
		}
	}
	if n := spans(trace.Clients); n != count[journal.Operation] {
		t.Errorf("%d operations in lanes of %d", n, count[journal.Operation])
	}
	if n := spans(trace.Waits); n != count[journal.Wait]+count[journal.Polls] {
		t.Errorf("%d waits and polls in lanes of %d", n, count[journal.Wait]+count[journal.Polls])
	}
	if len(trace.Steps) != count[journal.By] {
		t.Errorf("%d steps of %d", len(trace.Steps), count[journal.By])
	}
	samples := 0
	for _, n := range trace.Nodes {
		samples += len(n.Samples.At)
	}
	if samples != count[journal.Resource] {
		t.Errorf("%d samples of %d", samples, count[journal.Resource])
	}
	for _, lane := range slices.Concat(trace.Clients, trace.Faults, trace.Waits) {
		inOrder(t, lane.Name, lane.Spans)
		for _, s := range lane.Spans {
			e := events[s.Event]
			if !trace.Begin.Add(nanos(s.From)).Equal(e.At) {
				t.Errorf("%s: %+v does not begin with %v", lane.Name, s, e)
			}
			if e.Op != nil && e.Op.Outcome != "" && (s.Is != string(e.Op.Outcome) || s.To-s.From != int64(e.Took)) {
				t.Errorf("%s: %+v is not %v", lane.Name, s, e)
			}
		}
	}
	for _, n := range trace.Nodes {
		for what, list := range map[string][]page.Span{"health": n.Health, "roles": n.Roles, "away": n.Away, "steps": trace.Steps} {
			inOrder(t, fmt.Sprintf("node %d %s", n.Index, what), list)
		}
		flagsAgree(t, n, trace, events)
		healthAgrees(t, n, trace, events)
	}
}

// flagsAgree checks, at each change of a flag, that the node is away just after it if the flag went down.
func flagsAgree(t *testing.T, n page.Node, trace page.Trace, events []journal.Event) {
	t.Helper()
	downs := 0
	for i, e := range events {
		if e.Kind != journal.Flag || e.Node != n.Index || e.Err != "" {
			continue
		}
		at, up := trace.At[i], e.Flag.Online
		if up {
			at += trace.Took[i]
			if !slices.ContainsFunc(n.Away, func(s page.Span) bool { return s.To == at }) {
				t.Errorf("node %d comes back at %d, and its lane does not say so", n.Index, at)
			}
			continue
		}
		downs++
		if !slices.ContainsFunc(n.Away, func(s page.Span) bool { return s.From == at && s.Event == i }) {
			t.Errorf("node %d is lost at %d, and its lane does not say so", n.Index, at)
		}
	}
	if downs != len(n.Away) {
		t.Errorf("node %d was lost %d times, and its lane shows %d", n.Index, downs, len(n.Away))
	}
}

func healthAgrees(t *testing.T, n page.Node, trace page.Trace, events []journal.Event) {
	t.Helper()
	for i, e := range events {
		if e.Kind != journal.Shown || e.Node != n.Index {
			continue
		}
		at := trace.At[i]
		later := slices.ContainsFunc(events, func(l journal.Event) bool { // of two states at one moment the last one counts
			return l.Kind == journal.Shown && l.Node == n.Index && l.At.Equal(e.At) && l.State.Health != e.State.Health
		})
		shown := slices.ContainsFunc(n.Health, func(s page.Span) bool { return s.From <= at && at <= s.To && s.Is == e.State.Health })
		if !shown && !later {
			t.Errorf("node %d is %s at %d, and its lane does not say so", n.Index, e.State.Health, at)
		}
	}
}

func inOrder(t *testing.T, name string, list []page.Span) {
	t.Helper()
	for i, s := range list {
		if s.To < s.From || i > 0 && list[i-1].To > s.From {
			t.Errorf("%s: span %d, %+v, does not follow the one before", name, i, s)
		}
	}
}

func spans(lanes []page.Lane) (n int) {
	for _, l := range lanes {
		n += len(l.Spans)
	}
	return n
}

// Journals are compressed one by one, so the sizes add up: a tenth of 200 specs with 100,000 events must be below a tenth of 10 MB.
func TestSizeOfPage(t *testing.T) {
	const specs, each, most = 20, 500, 1_000_000
	var c page.Collection
	events := 0
	for i := range specs {
		list := made.Journal(fmt.Sprintf("A made database keeps promise %d", i), uint64(i+1), each)
		events += len(list)
		add(t, &c, fmt.Sprintf("made-%d.jsonl", i), list)
	}
	html := write(t, &c)
	t.Logf("%d specs with %d events are %d bytes", specs, events, len(html))
	if events < 10_000 || len(html) > most {
		t.Errorf("%d events are %d bytes: want at least 10,000 events in at most %d bytes", events, len(html), most)
	}
}

func TestPageLoadsNothing(t *testing.T) {
	var c page.Collection
	add(t, &c, "made.jsonl", made.Journal("A spec named </script><b>", 1, 60))
	html := write(t, &c)
	if n := strings.Count(html, "<script"); n != strings.Count(html, "</script>") || n != 4 {
		t.Errorf("the page has %d scripts", n)
	}
	html = strings.Replace(html, "https://github.com/leeoniya/uPlot", "", 1) // a comment of the library
	for _, reference := range regexp.MustCompile(`(src|href)="[^"]*"|[^.A-Za-z]url\(|@import|https?:[^"' ]*`).FindAllString(html, -1) {
		t.Errorf("the page refers to %s", reference)
	}
	if !strings.Contains(html, "default-src 'none'") {
		t.Error("the page has no policy that keeps it from the network")
	}
}
