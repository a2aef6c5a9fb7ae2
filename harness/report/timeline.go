package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// mark is what a column of a timeline says about a node.
type mark byte

// marks are explained in this order. Where a column has several, it shows the last of them: a short fault is seen on a long
// timeline.
var marks = []struct {
	mark mark
	is   string
}{
	{' ', ""}, // no member, or not seen
	{'.', "online"},
	{':', "connecting"},
	{'~', "catching up"},
	{'L', "leader"},
	{'l', "leaving"},
	{'o', "does not run"},
	{'!', "failed"},
	{'i', "isolated"},
	{'p', "paused"},
	{'s', "stopped"},
	{'c', "crashed"},
	{'#', "other faults"},
}

const (
	// timelineWidth is how many columns a timeline has at most.
	timelineWidth = 100
	// timelineNodes is how many nodes it shows at most.
	timelineNodes = 30
	// labelWidth is for the names of the rows.
	labelWidth = 9
)

// Timeline returns what a journal tells of each node over the time of the cluster, as text: a ruler, a line for each node, a line for
// other faults if there were any, and what the characters mean. Lines are 100 columns wide at most. It is empty if the journal tells of
// no node.
func Timeline(events []journal.Event) string {
	t := newTimeline(events)
	if len(t.rows) == 0 {
		return ""
	}
	t.used(t.faults.cells)
	for _, row := range t.rows[:min(len(t.rows), timelineNodes)] {
		t.used(row.cells)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "timeline, a column is %v of the cluster's time:\n", t.step)
	t.line(&b, "", t.ruler())
	for i, row := range t.rows[:min(len(t.rows), timelineNodes)] {
		t.line(&b, fmt.Sprintf("node %d", i), string(row.cells))
	}
	if left := len(t.rows) - timelineNodes; left > 0 {
		t.line(&b, "", fmt.Sprintf("and %d more nodes", left))
	}
	if t.shown['#'] {
		t.line(&b, "faults", string(t.faults.cells))
	}
	legend := ""
	for _, m := range marks[1:] {
		if !t.shown[m.mark] {
			continue
		}
		is := fmt.Sprintf("%c %s  ", m.mark, m.is)
		if len(legend)+len(is) > timelineWidth-labelWidth {
			t.line(&b, "", legend)
			legend = ""
		}
		legend += is
	}
	t.line(&b, "", legend)
	return b.String()
}

// used notes which marks are in the cells.
func (t *timelines) used(cells []byte) {
	for _, cell := range cells {
		t.shown[mark(cell)] = true
	}
}

func (t *timelines) line(b *strings.Builder, label, text string) {
	b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s%s", labelWidth-2, label, text), " ") + "\n")
}

// timelines are the rows of a timeline.
type timelines struct {
	begun   time.Time
	step    time.Duration // of a column
	columns int
	rows    []row // of the nodes
	faults  row
	open    map[uint64]time.Time // faults in force, by when they began
	shown   map[mark]bool
}

// row is a line of a timeline, with what the node is now.
type row struct {
	cells  []byte
	member bool
	away   mark // how the node was lost; 0 if it was not
	health mark
	leads  bool
	alone  bool // it has lost its leader since it was seen
	since  time.Time
}

func newTimeline(events []journal.Event) *timelines {
	t := &timelines{open: make(map[uint64]time.Time), shown: make(map[mark]bool)}
	changes := changesOf(events)
	if len(changes) == 0 {
		return t
	}
	t.begun = changes[0].at
	end := t.begun
	for _, e := range events {
		if e.End().After(end) {
			end = e.End()
		}
	}
	t.step = stepOf(end.Sub(t.begun), timelineWidth-labelWidth)
	t.columns = int(end.Sub(t.begun)/t.step) + 1
	t.faults = t.newRow(false)
	for _, c := range changes {
		t.change(c)
	}
	for i := range t.rows {
		t.paintRow(&t.rows[i], end)
	}
	for _, since := range t.open {
		t.paint(t.faults.cells, '#', since, end)
	}
	return t
}

// change is the moment at which an event changes what is shown.
type change struct {
	at time.Time
	journal.Event
}

// changesOf are the events about nodes and faults in the order in which they took effect: a node is away from the beginning of an
// event on, and back from its end on.
func changesOf(events []journal.Event) (all []change) {
	for _, e := range events {
		at := e.At
		switch {
		case e.Err != "" && e.Kind != journal.Fault:
			continue
		case e.Kind == journal.Boot || e.Kind == journal.Shown || e.Kind == journal.Role:
		case e.Kind == journal.Flag && e.Flag != nil:
			if e.Flag.Online {
				at = e.End()
			}
		case e.Kind == journal.Member && e.Member != nil:
			at = e.End()
		case e.Kind == journal.Fault && e.Fault != nil:
			if e.Fault.Phase == journal.Ends {
				at = e.End()
			}
		default:
			continue
		}
		all = append(all, change{at, e})
	}
	slices.SortStableFunc(all, func(a, b change) int { return a.at.Compare(b.at) })
	return all
}

// stepOf returns a round duration, of which at most as many cover all.
func stepOf(all time.Duration, most int) time.Duration {
	for unit := time.Microsecond; ; unit *= 10 {
		for _, times := range []time.Duration{1, 2, 5} {
			if step := unit * times; all/step < time.Duration(most) {
				return step
			}
		}
	}
}

// ruler has the time at every tenth column.
func (t *timelines) ruler() string {
	const every = 10
	var b strings.Builder
	for column := 0; column < t.columns; column += every {
		label := "|" + (time.Duration(column) * t.step).String()
		if column > 0 && column+len(label) > t.columns && len(label) > 1 {
			label = "|" // its end would be beyond the last column
		}
		fmt.Fprintf(&b, "%-*s", every, label[:min(len(label), every)])
	}
	return b.String()
}

func (t *timelines) newRow(member bool) row {
	return row{cells: []byte(strings.Repeat(" ", t.columns)), member: member, health: ' '}
}

func (t *timelines) change(c change) {
	if c.Kind == journal.Fault {
		t.fault(c)
		return
	}
	count := c.Node + 1
	if c.Boot != nil {
		count = c.Boot.Size
	}
	for len(t.rows) < count {
		t.rows = append(t.rows, t.newRow(true))
	}
	if c.Node == journal.None {
		return
	}
	r := &t.rows[c.Node]
	t.paintRow(r, c.at)
	switch {
	case c.Kind == journal.Member:
		if r.member = c.Member.Added; !r.member {
			t.over(c.Member.Ended, c.at)
		}
	case c.Kind == journal.Flag:
		r.flag(c.Flag)
	case c.State != nil:
		if c.Kind == journal.Shown || r.health == ' ' {
			r.health = healthOf(c.State.Health)
		}
		r.leads = c.State.Role == "leader"
		r.alone = c.Kind == journal.Role && !r.leads && c.State.Leader == ""
	}
}

// flag follows what the harness wants of the node. One that does not run has no role, and what it says when it is back is new.
func (r *row) flag(now *journal.FlagChange) {
	if now.Online {
		r.away = 0
		return
	}
	r.away = 'o'
	switch now.Mode {
	case fault.Isolate:
		r.away = 'i'
	case fault.Pause:
		r.away = 'p'
	case fault.Stop:
		r.away = 's'
	case fault.Crash:
		r.away = 'c'
	}
	if now.Mode == fault.Stop || now.Mode == fault.Crash {
		r.health, r.leads = ':', false
	}
}

func healthOf(health string) mark {
	switch target.State(health) {
	case target.Online:
		return '.'
	case target.Syncing:
		return '~'
	case target.Leaving:
		return 'l'
	case target.Offline:
		return 'o'
	case target.Failed:
		return '!'
	case target.Connecting, "":
	}
	return ':'
}

// paintRow paints what the node was until then.
func (t *timelines) paintRow(r *row, until time.Time) {
	since := r.since
	if since.IsZero() {
		since = t.begun
	}
	r.since = until
	is := r.health
	switch {
	case !r.member:
		is = ' '
	case r.away != 0:
		is = r.away
	case r.leads && (r.health == '.' || r.health == ' '):
		is = 'L'
	case r.alone && r.health == '.':
		is = ':'
	}
	t.paint(r.cells, is, since, until)
}

// paint paints the columns of that time with a mark that is worth more than what they have.
func (t *timelines) paint(cells []byte, is mark, from, to time.Time) {
	if !to.After(from) {
		return
	}
	first, last := int(from.Sub(t.begun)/t.step), int((to.Sub(t.begun)-1)/t.step)
	for i := first; i <= min(last, len(cells)-1); i++ {
		if rank(is) > rank(mark(cells[i])) {
			cells[i] = byte(is)
		}
	}
}

func rank(m mark) int {
	for i, one := range marks {
		if one.mark == m {
			return i
		}
	}
	return 0
}

// fault follows the faults of links, disks, clocks and data. What keeps a node away is in its row.
func (t *timelines) fault(c change) {
	t.over(c.Fault.Ended, c.at)
	switch kind := c.Fault.Kind; {
	case slices.Contains([]fault.Kind{fault.KindIsolate, fault.KindStop, fault.KindCrash, fault.KindPause, fault.KindWipe}, kind):
	case c.Fault.Phase == journal.Begins && c.Fault.ID != 0:
		t.open[c.Fault.ID] = c.at
	case c.Fault.Phase == journal.Once && c.Err == "":
		t.paint(t.faults.cells, '#', c.at, c.at.Add(max(c.Took, 1)))
	}
}

func (t *timelines) over(ids []uint64, at time.Time) {
	for _, id := range ids {
		if since, is := t.open[id]; is {
			t.paint(t.faults.cells, '#', since, at)
			delete(t.open, id)
		}
	}
}
