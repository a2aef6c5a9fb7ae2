//go:build browser

package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/internal/made"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// shown tells where the timeline has its lanes, in the window.
type shown struct {
	Left, Top, Width, Gutter float64
	Lanes                    []struct {
		Name      string
		Y, Height float64
	}
}

const whereLanes = `(() => { const holder = document.getElementById('lanes'), box = holder.querySelector('canvas').getBoundingClientRect();
	return {Left: box.left, Top: box.top, Width: box.width, Gutter: Number(holder.dataset.gutter),
		Lanes: JSON.parse(holder.dataset.lanes).map(([Name, Y, Height]) => ({Name, Y, Height}))}; })()`

// x is where a moment is when all of the time is shown.
func (s shown) x(at, length int64) float64 {
	return s.Left + s.Gutter + (float64(at)/float64(length)+0.01)/1.02*(s.Width-s.Gutter)
}

// hover moves the pointer and returns what the page says about the place.
func (w *tab) hover(x, y float64) string {
	w.Helper()
	w.do(chromedp.MouseEvent("mouseMoved", x, y))
	return value[string](w, `(e => e.hidden ? '' : e.textContent)(document.getElementById('tip'))`)
}

func TestTimelineShowsJournal(t *testing.T) {
	events := fixture(t)
	trace := page.NewTrace(events)
	w := opened(t, collected(t, events), 1400, 1500, "")
	w.until(`document.querySelectorAll('#events tr').length > 10`)
	w.pointAt("#stage")
	where := value[shown](w, whereLanes)

	var names []string
	for _, n := range trace.Nodes {
		names = append(names, fmt.Sprintf("node %d", n.Index))
	}
	for _, lanes := range [][]page.Lane{trace.Faults, trace.Clients, trace.Waits} {
		for _, l := range lanes {
			names = append(names, l.Name)
		}
	}
	if len(names) != len(where.Lanes) {
		t.Fatalf("the page has the lanes %v, and the trace %v", where.Lanes, names)
	}
	looked := 0
	look := func(lane int, spans []page.Span, y float64, want func(page.Span) string) {
		if where.Lanes[lane].Name != names[lane] {
			t.Errorf("lane %d is %s, not %s", lane, where.Lanes[lane].Name, names[lane])
		}
		tried := 0
		for _, s := range spans {
			from, to := where.x(s.From, trace.Length), where.x(s.To, trace.Length)
			if to-from < 12 || tried == 8 {
				continue
			}
			tried++
			looked++
			if said := w.hover((from+to)/2, where.Top+where.Lanes[lane].Y+y); !strings.Contains(said, want(s)) {
				t.Errorf("%s at %d ns: the page says %q, and the journal %q", names[lane], s.From, said, want(s))
			}
		}
	}
	words := func(s page.Span) string { return trace.Words[s.Event] }
	lane := 0
	for _, n := range trace.Nodes {
		look(lane, n.Away, 10, func(s page.Span) string { return fmt.Sprintf("node %d is away: %s", n.Index, s.Is) })
		look(lane, n.Roles, 25, words)
		lane++
	}
	for _, lanes := range [][]page.Lane{trace.Faults, trace.Clients, trace.Waits} {
		for _, l := range lanes {
			look(lane, l.Spans, where.Lanes[lane].Height/2, words)
			lane++
		}
	}
	if looked < 30 {
		t.Errorf("only %d spans were wide enough to look at", looked)
	}
	t.Logf("looked at %d spans", looked)
}

func TestClickShowsLine(t *testing.T) {
	events := fixture(t)
	trace := page.NewTrace(events)
	w := opened(t, collected(t, events), 1400, 1500, "")
	w.until(`document.querySelectorAll('#events tr').length > 10`)
	w.pointAt("#stage")
	where, away := value[shown](w, whereLanes), trace.Nodes[1].Away[0]
	x, y := (where.x(away.From, trace.Length)+where.x(away.To, trace.Length))/2, where.Top+where.Lanes[1].Y+10
	w.do(chromedp.MouseClickXY(x, y))
	w.until(`document.querySelector('#chosen pre')`)
	want, err := json.Marshal(events[away.Event])
	if err != nil {
		t.Fatal(err)
	}
	if line := value[string](w, `document.querySelector('#chosen pre').textContent`); line != string(want) {
		t.Errorf("the page shows %s, and the journal has %s", line, want)
	}
}

func TestZoomAndKeys(t *testing.T) {
	events := fixture(t)
	w := opened(t, collected(t, events), 1400, 1500, "")
	caption := `(document.querySelector('#events .tools span')?.textContent || '')`
	w.until(`%s.includes('%d events')`, caption, len(events))
	w.do(chromedp.Focus(chromedp.CSS("#stage")), chromedp.KeyEvent("+"), chromedp.KeyEvent("+"), chromedp.KeyEvent("+"))
	w.until(`!%s.includes('%d events')`, caption, len(events))
	within := value[string](w, caption)
	w.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	w.until(`%s !== %q`, caption, within)
	w.do(chromedp.KeyEvent("0"))
	w.until(`%s.includes('%d events')`, caption, len(events))
	w.do(chromedp.KeyEvent("]"), chromedp.KeyEvent("]"))
	// The boot began before all other events, and ended after some.
	w.until(`document.querySelector('#chosen b')?.textContent === 'Event 1'`)
}

// TestListAndAddress checks the list, and that the address keeps what is searched for.
func TestListAndAddress(t *testing.T) {
	c := collected(t)
	specs := types.SpecReports{}
	for i, name := range []string{"loses a node", "keeps rows", "loses a disk", "is unable"} {
		s := types.SpecReport{
			LeafNodeType: types.NodeTypeIt, LeafNodeText: name, State: types.SpecStatePassed,
			LeafNodeLabels:          []string{[]string{"fault", "rows"}[i%2]},
			ContainerHierarchyTexts: []string{"A database"}, ContainerHierarchyLabels: [][]string{{"all"}},
		}
		switch i {
		case 2:
			s.State, s.Failure.Message = types.SpecStateFailed, "the disk is lost"
		case 3:
			s.State, s.Failure.Message = types.SpecStateSkipped, "the target has no clock"
		}
		specs = append(specs, s)
	}
	c.AddReports([]types.Report{{SuiteDescription: "Shop", SpecReports: specs}})
	w := opened(t, c, 1400, 900, "")
	names := `[...document.querySelectorAll('#items .name')].map(e => e.textContent).join('; ')`
	expect := func(want string) {
		t.Helper()
		w.until(`%s === %q`, names, want)
	}
	expect("loses a disk; keeps rows; loses a node; is unable")
	if got := value[string](w, `document.querySelector('h1').textContent`); got != "Shop: 1 of 3 specs failed, 1 skipped" {
		t.Error(got)
	}
	if got := value[string](w, `document.querySelector('.message').textContent`); got != "the disk is lost" {
		t.Error(got)
	}
	value[bool](w, `(document.getElementById("search").focus(), true)`)
	w.do(chromedp.KeyEvent("loses"))
	expect("loses a disk; loses a node")
	w.do(chromedp.Reload())
	expect("loses a disk; loses a node")
	value[bool](w, `(e => { e.value = ''; return e.focus(), true; })(document.getElementById('search'))`)
	w.do(chromedp.KeyEvent("clock"))
	expect("is unable")
	value[string](w, `location.hash = '#label=rows'`)
	expect("keeps rows; is unable")
	value[string](w, `location.hash = '#group=failed'`)
	expect("loses a disk")
}

func TestVerdictSelectsEvents(t *testing.T) {
	leader := func(node int) journal.Event {
		return journal.Event{At: made.Begin.Add(1e9), Kind: journal.Role, Node: node, State: &journal.State{Role: "leader", Term: 2}}
	}
	events := append(made.Journal("Two lead", 5, 300), leader(0), leader(1))
	w := opened(t, collected(t, events), 1400, 1500, "")
	w.until(`document.querySelector('.verdicts .broken')`)
	if got := value[string](w, `document.querySelector('.verdicts tr b').textContent`); got != "one leader a term" {
		t.Errorf("the first verdict is about %s", got)
	}
	w.do(chromedp.Click(chromedp.CSS(".verdicts tr button")))
	w.until(`document.querySelector('#chosen')?.textContent.includes('leader in term 2')`)
}

// TestLooks keeps pictures, and checks that nothing is wider than the window.
func TestLooks(t *testing.T) {
	c := collected(t, made.Journal("A made database loses nodes, and keeps its rows", 7, 1500), fixture(t))
	w := opened(t, c, 1400, 1000, "#spec=0")
	for _, width := range []int64{1400, 390} {
		for _, dark := range []bool{false, true} {
			w.do(chromedp.EmulateViewport(width, 1000))
			w.dark(dark)
			w.until(`document.querySelectorAll('#events tr').length > 10`)
			if over := value[int](w, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("at a width of %d the page is %d wider", width, over)
			}
			back := value[string](w, `getComputedStyle(document.body).backgroundColor`)
			if (back == "rgb(255, 255, 255)") == dark {
				t.Errorf("dark %v has the background %s", dark, back)
			}
			w.picture(fmt.Sprintf("made-%d-%s", width, map[bool]string{false: "light", true: "dark"}[dark]))
		}
	}
}

// TestSize measures a page of 200 specs with 100,000 events, and a spec with 100,000 operations.
func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes a minute")
	}
	var journals [][]journal.Event
	for i := range 200 {
		journals = append(journals, made.Journal(fmt.Sprintf("A made database keeps promise %d", i), uint64(i+1), 500))
	}
	w := opened(t, collected(t, journals...), 1400, 1000, "")
	w.until(`document.querySelectorAll('#events tr').length > 10`)
	ready := value[float64](w, `performance.getEntriesByName('shown')[0].startTime`)
	if items := value[int](w, `document.querySelectorAll('#items li').length`); items != len(journals) {
		t.Errorf("the list has %d specs of %d", items, len(journals))
	}
	if ready > 20_000 { // a machine that is idle takes 0.7 s
		t.Errorf("the first timeline is there after %.0f ms", ready)
	}
	t.Logf("200 specs: the first timeline is there after %.0f ms", ready)
}

func TestManyOperations(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes a minute")
	}
	w := opened(t, collected(t, made.Journal("A made database is busy", 3, 101_000)), 1400, 1000, "")
	w.until(`document.querySelectorAll('#events tr').length > 10`)
	frames := value[[]float64](w, `(async () => { const stage = document.getElementById('stage'), took = [];
		for (let i = 0; i < 20; i++) {
			stage.dispatchEvent(new KeyboardEvent('keydown', {key: i < 10 ? '+' : 'ArrowRight'}));
			const began = performance.now();
			await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
			took.push(performance.now() - began);
		}
		return took; })()`)
	slices.Sort(frames)
	if middle := frames[len(frames)/2]; middle > 1000 { // a machine that is idle and has no graphics takes 35 ms
		t.Errorf("a picture takes %.0f ms", middle)
	}
	ready := value[float64](w, `performance.getEntriesByName('shown')[0].startTime`)
	t.Logf("100,000 operations: shown after %.0f ms; a picture takes %.0f ms, the slowest of %d %.0f ms", ready,
		frames[len(frames)/2], len(frames), frames[len(frames)-1])
}

// TestFailureAndMessages checks what differs, the messages, and porcupine's picture.
func TestFailureAndMessages(t *testing.T) {
	events := made.Journal("Nodes differ", 5, 120)
	end := events[len(events)-1]
	check := journal.Event{At: end.At.Add(-1e6), Kind: journal.Check, Node: journal.None, Err: "they differ", Differs: &journal.Difference{
		Query: "SELECT * FROM t", Columns: []string{"id", "v"}, Column: "v",
		Nodes: []journal.Answer{{Node: 0, Applied: 17, Row: []string{"1", "'tea'"}}, {Node: 2, Applied: 17, Row: []string{"1", "'te'"}}}}}
	message := journal.Event{At: end.At.Add(-5e6), Took: 2e6, Kind: journal.Message, Node: 0, Text: "heartbeat, term 2", To: &journal.Receiver{Node: 1}}
	lost := message
	lost.Err, lost.To = "no answer", &journal.Receiver{Node: 2}
	end.Spec, end.Err = &journal.SpecBoundary{Name: "Nodes differ", State: "failed"}, "the nodes differ"
	operation := func(from, to int64, step journal.Step) journal.Event {
		return journal.Event{At: made.Begin.Add(40e6 + time.Duration(from)), Took: time.Duration(to - from), Kind: journal.Operation, Node: 0,
			Op: &journal.Op{Client: 90, Outcome: journal.OK, Model: journal.Register, Level: journal.Strong, Steps: []journal.Step{step}}}
	}
	stale := []journal.Event{operation(0, 1e6, journal.Step{Do: journal.Write, Key: "x", Value: 1}), operation(2e6, 3e6, journal.Step{Do: journal.Write, Key: "x", Value: 2}),
		operation(4e6, 5e6, journal.Step{Do: journal.Read, Key: "x", Got: []int64{1}})}
	events = slices.Concat(events[:len(events)-1], stale, []journal.Event{check, end, message, lost})
	w := opened(t, collected(t, events), 1400, 1000, "")
	w.until(`document.querySelector('#differs td.differ')`)
	if got := value[string](w, `[...document.querySelectorAll('#differs td.differ')].map(e => e.textContent).join(' ')`); got != "'tea' 'te'" {
		t.Errorf("the cells %s are marked", got)
	}
	if got := value[string](w, `document.querySelector('#differs tbody').textContent`); got != "node 0171'tea'node 2171'te'" {
		t.Errorf("the rows are %s", got)
	}
	if got := value[string](w, `document.querySelector('#messages .tools span').textContent`); !strings.HasPrefix(got, "2 messages in view") {
		t.Errorf("the page says %s", got)
	}
	if got := value[int](w, `document.querySelectorAll('#cluster tbody tr').length`); got != 3 {
		t.Errorf("the table of the cluster has %d nodes", got)
	}
	value[bool](w, `(document.querySelector('.picture').open = true)`)
	w.until(`document.querySelector('.picture iframe')`)
	w.picture("failure-1400-light")
	w.do(chromedp.EmulateViewport(390, 1000))
	w.dark(true)
	if over := value[int](w, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("on a phone the page is %d wider", over)
	}
	w.picture("failure-390-dark")
}
