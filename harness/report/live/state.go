package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// State is what the page shows besides the journal.
type State struct {
	Target  string            `json:"target"`
	Seed    string            `json:"seed"`
	Quorum  int               `json:"quorum"`
	Voters  int               `json:"voters"`
	Leader  string            `json:"leader"`  // by a quorum of the nodes; "" if there is none
	Verdict string            `json:"verdict"` // how the cluster is, as a sentence
	Well    bool              `json:"well"`
	Cannot  map[string]string `json:"cannot"` // what the target lacks, by ability, with a sentence each
	Nodes   []Node            `json:"nodes"`
	Faults  []Fault           `json:"faults"`
	Busy    []Busy            `json:"busy"`
	Said    map[string]Said   `json:"said"` // what came of the last action, by place
	Loads   []Workload        `json:"loads"`
}

// Node is what is known of a member.
type Node struct {
	Index    int    `json:"index"`
	ID       string `json:"id"`
	Address  string `json:"address,omitempty"`
	Online   bool   `json:"online"`         // its flag
	Mode     string `json:"mode,omitempty"` // how it was lost
	Voter    bool   `json:"voter"`
	Health   string `json:"health"` // a target.State, or "unknown" of a node that does not report it
	Reason   string `json:"reason,omitempty"`
	Work     string `json:"work,omitempty"` // long work, such as taking a snapshot
	Role     string `json:"role,omitempty"`
	Leader   string `json:"leader,omitempty"`
	Term     uint64 `json:"term"`
	Commit   uint64 `json:"commit"`
	Applied  uint64 `json:"applied"`
	Behind   uint64 `json:"behind"` // entries that some node knows to be committed
	Log      uint64 `json:"log"`
	Snapshot uint64 `json:"snapshot"`
	Memory   uint64 `json:"memory"`
	Disk     string `json:"disk,omitempty"`  // what is wrong with it
	Clock    string `json:"clock,omitempty"` // how wrong it is
}

// Fault is a fault in force around the nodes, and the action that undoes it, if one alone does.
type Fault struct {
	Text string  `json:"text"`
	Link []int   `json:"link,omitempty"` // from and to; -1 for the clients
	Cut  bool    `json:"cut,omitempty"`  // nothing passes
	Undo *Action `json:"undo,omitempty"`
}

// Busy is an action that is under way.
type Busy struct {
	Place string `json:"place"` // where its button is, such as "node 1"
	Key   string `json:"key"`   // of its button
	Text  string `json:"text"`
}

// Said is what came of an action.
type Said struct {
	Text   string `json:"text"`
	Failed bool   `json:"failed,omitempty"`
	At     int64  `json:"at"` // Unix milliseconds
}

// board has the latest state, for those who wait for a newer one.
type board struct {
	asked atomic.Int64 // when the page asked last, in Unix nanoseconds
	soon  chan struct{}

	mu       sync.Mutex
	observed []harness.Observation
	busy     []*Busy
	said     map[string]Said
	latest   []byte
	version  int
	newer    chan struct{} // closed when there is a newer version
}

func newBoard() *board {
	return &board{said: make(map[string]Said), newer: make(chan struct{}), soon: make(chan struct{}, 1)}
}

// How often nodes are asked for their status, how often the journal gets samples of what they use, and for how long after the last
// request of the page.
const (
	observeEvery = 250 * time.Millisecond
	measureEvery = time.Second
	lookedAtFor  = 5 * time.Second
)

// watch asks the nodes again and again while the page is looked at.
func (p *Page) watch() {
	ticker := time.NewTicker(observeEvery)
	defer ticker.Stop()
	var measured time.Time
	for {
		select {
		case <-p.life.Done():
			return
		case <-p.board.soon:
		case <-ticker.C:
			if time.Since(time.Unix(0, p.board.asked.Load())) > lookedAtFor {
				continue
			}
		}
		if time.Since(measured) >= measureEvery {
			measured = time.Now()
			_, _ = p.cluster.Measure(p.life) // a node that does not answer shows in what follows
		}
		observed := p.cluster.Observe(p.life)
		p.board.mu.Lock()
		p.board.observed = observed
		p.board.mu.Unlock()
		p.publish()
	}
}

// look has the nodes asked soon.
func (p *Page) look() {
	select {
	case p.board.soon <- struct{}{}:
	default:
	}
}

// publish makes a new version, if something has changed.
func (p *Page) publish() {
	b := p.board
	b.mu.Lock()
	defer b.mu.Unlock()
	text, err := json.Marshal(p.stateLocked())
	if err != nil || slices.Equal(text, b.latest) {
		return
	}
	b.latest = text
	b.version++
	close(b.newer)
	b.newer = make(chan struct{})
}

// getState answers with the state once its version is another than the one that the request has, or after a while.
func (p *Page) getState(w http.ResponseWriter, r *http.Request) {
	const longest = 2 * time.Second // so that nodes are observed while a page waits
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "since must be the number of the version that is known; 0 for none")
		return
	}
	p.board.asked.Store(time.Now().UnixNano())
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for waits := true; ; {
		p.board.mu.Lock()
		latest, version, newer := p.board.latest, p.board.version, p.board.newer
		p.board.mu.Unlock()
		if latest != nil && (version != since || !waits) {
			answerText(w, http.StatusOK, fmt.Appendf(nil, `{"version": %d, "state": %s}`, version, latest))
			return
		}
		select {
		case <-newer:
		case <-timer.C:
			waits = false
		case <-r.Context().Done():
			return
		case <-p.life.Done():
			stopping(w)
			return
		}
	}
}

func (p *Page) stateLocked() State {
	c := p.cluster
	s := State{
		Target: p.options.Target, Seed: strconv.FormatUint(c.Seed(), 10), Quorum: c.Quorum(), Cannot: cannot(c), Faults: faultsOf(c),
		Busy: []Busy{}, Said: p.board.said, Loads: p.loads.state(),
	}
	for _, one := range p.board.busy {
		s.Busy = append(s.Busy, *one)
	}
	seen := make(map[int]harness.Observation)
	var committed uint64
	for _, o := range p.board.observed {
		seen[o.Node.Index()] = o
		committed = max(committed, o.Status.CommitIndex)
	}
	for _, n := range c.Nodes() {
		o, asked := seen[n.Index()]
		s.Nodes = append(s.Nodes, nodeOf(c, n, o, asked, committed))
	}
	s.judge()
	return s
}

func nodeOf(c *harness.Cluster, n *harness.Node, o harness.Observation, asked bool, committed uint64) Node {
	is := Node{Index: n.Index(), ID: n.ID(), Voter: n.Votes(), Health: "unknown"}
	is.Online, _ = c.IsNodeOnline(n.Index()) // false of a node that was removed meanwhile
	if mode, lost := c.Lost(n.Index()); lost {
		is.Mode = string(mode)
	}
	faults := c.Faults()
	if disk, bad := faults.Disks[is.Index]; bad {
		is.Disk = disk.String()
	}
	if ahead, wrong := faults.Clocks[is.Index]; wrong {
		is.Clock = fault.Skew(ahead)
	}
	switch {
	case o.Err != nil:
		is.Reason = o.Err.Error()
	case asked:
		st := o.Status
		is.Address, is.Health, is.Reason, is.Role, is.Leader = st.Address, string(st.State), st.Reason, st.Role, st.Leader
		is.Term, is.Commit, is.Applied, is.Log = st.Term, st.CommitIndex, st.AppliedIndex, st.LogEntries
		is.Snapshot, is.Memory, is.Work = st.SnapshotIndex, st.Memory, st.Activities.String()
		if st.State != target.Offline && committed > st.AppliedIndex {
			is.Behind = committed - st.AppliedIndex
		}
	}
	return is
}

// judge says how the cluster is.
func (s *State) judge() {
	votes := make(map[string]int)
	online, well := 0, 0
	for _, n := range s.Nodes {
		if n.Online {
			online++
		}
		if n.Online && n.Health == string(target.Online) {
			well++
		}
		if n.Voter {
			s.Voters++
			if n.Health != string(target.Offline) && n.Health != "unknown" {
				votes[n.Leader]++
			}
		}
	}
	for _, n := range s.Nodes {
		if votes[n.ID] >= s.Quorum {
			s.Leader = n.ID
		}
	}
	s.Verdict = fmt.Sprintf("%d of %d nodes are online", well, len(s.Nodes))
	switch {
	case s.Leader != "":
		s.Verdict += ", and " + s.Leader + " leads"
	default:
		s.Verdict += fmt.Sprintf(", and no leader has a quorum of %d", s.Quorum)
	}
	s.Well = well == len(s.Nodes) && online == well && s.Leader != "" && len(s.Faults) == 0
}

// cannot says what the target lacks.
func cannot(c *harness.Cluster) map[string]string {
	lacks := make(map[string]string)
	for _, ability := range target.Abilities() {
		if !c.Can(ability) {
			lacks[string(ability)] = sentence(&harness.UnsupportedError{Ability: ability}) + "."
		}
	}
	return lacks
}

func upper(s string) string {
	for i, first := range s {
		return s[:i] + string(unicode.ToUpper(first)) + s[i+utf8.RuneLen(first):]
	}
	return s
}

func faultsOf(c *harness.Cluster) []Fault {
	all := []Fault{}
	faults := c.Faults()
	for _, n := range c.Nodes() {
		i := n.Index()
		if mode, lost := c.Lost(i); lost {
			all = append(all, Fault{Text: fmt.Sprintf("node %d is %s", i, mode.Past()), Undo: &Action{Do: "bring online", Node: i}})
		}
	}
	for link, rule := range faults.Links {
		all = append(all, Fault{Text: fmt.Sprintf("link %s: %s", link, rule), Link: []int{link.From, link.To}, Cut: rule.Action != fault.Pass,
			Undo: &Action{Do: "link", From: link.From, To: link.To}})
	}
	for link := range faults.Resets {
		if _, ruled := faults.Links[link]; !ruled {
			all = append(all, Fault{Text: fmt.Sprintf("link %s: a message is or was to be cut in half", link), Link: []int{link.From, link.To},
				Undo: &Action{Do: "link", From: link.From, To: link.To}})
		}
	}
	slices.SortFunc(all, func(a, b Fault) int {
		if d := slices.Compare(a.Link, b.Link); d != 0 {
			return d
		}
		return slices.Compare([]byte(a.Text), []byte(b.Text))
	})
	for _, text := range faults.Flapping {
		all = append(all, Fault{Text: text})
	}
	for _, n := range c.Nodes() {
		i := n.Index()
		if disk, bad := faults.Disks[i]; bad {
			all = append(all, Fault{Text: fmt.Sprintf("disk of node %d: %s", i, disk), Undo: &Action{Do: "disk", Node: i}})
		}
		if ahead, wrong := faults.Clocks[i]; wrong {
			all = append(all, Fault{Text: fmt.Sprintf("clock of node %d: %s", i, fault.Skew(ahead)), Undo: &Action{Do: "clock", Node: i}})
		}
	}
	return all
}
