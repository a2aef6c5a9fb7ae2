package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// Workload is what the page shows of one.
type Workload struct {
	Name    string  `json:"name"`
	Doc     string  `json:"doc"`
	Running bool    `json:"running"`
	Busy    bool    `json:"busy,omitempty"` // it is being switched on or off
	Clients int     `json:"clients"`
	Rate    float64 `json:"rate"` // operations a second of all clients, as wanted
	OK      int     `json:"ok"`
	Failed  int     `json:"failed"`
	Unknown int     `json:"unknown"`
	Error   string  `json:"error,omitempty"` // why it could not be switched on
}

// namespace begins those of the workloads of the page.
const namespace = "live"

// docs say what a workload does, in a few words.
var docs = map[string]string{
	"register": "reads, writes, compares and sets", "set": "adds and reads", "lists": "appends, in transactions", "bank": "moves money",
	"counter": "counts", "unique": "takes names that only one may have", "ddl": "makes and drops tables", "pairs": "keeps two lists alike",
	"interactive-lists": "appends, statement by statement", "interactive-registers": "reads and writes, statement by statement",
	"interactive-bank": "moves money, statement by statement",
}

// loads are the workloads of a cluster. They keep what they know when they are switched off: the values of a register must be new
// for as long as there is one journal.
type loads struct {
	cluster *harness.Cluster

	mu     sync.Mutex
	all    []*load
	runs   int       // how often one was switched on
	latest time.Time // when one was switched on last
}

type load struct {
	workload workload.Workload
	running  *workload.Running
	busy     bool
	clients  int
	rate     float64
	before   workload.Tally // of earlier runs
	err      string
}

func newLoads(c *harness.Cluster) *loads {
	all := workload.Workloads(namespace)
	if c.Can(target.Transactions) {
		all = append(all, workload.Interactive(namespace, target.Serializable)...)
	}
	l := &loads{cluster: c}
	for _, w := range all {
		l.all = append(l.all, &load{workload: w, clients: 3, rate: 30})
	}
	return l
}

func (l *loads) state() []Workload {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []Workload{}
	for _, one := range l.all {
		name, tally := one.workload.Name(), one.tally()
		all = append(all, Workload{Name: name, Doc: docs[name], Running: one.running != nil, Busy: one.busy, Clients: one.clients, Rate: one.rate,
			OK: tally.OK, Failed: tally.Failed, Unknown: tally.Unknown, Error: one.err})
	}
	return all
}

func (l *load) tally() workload.Tally {
	sum := l.before
	if l.running != nil {
		sum = plus(sum, l.running.Tally())
	}
	return sum
}

func plus(a, b workload.Tally) workload.Tally {
	return workload.Tally{OK: a.OK + b.OK, Failed: a.Failed + b.Failed, Unknown: a.Unknown + b.Unknown}
}

// Switch switches a workload on or off.
type Switch struct {
	Name    string  `json:"name"`
	On      bool    `json:"on"`
	Clients int     `json:"clients,omitempty"`
	Rate    float64 `json:"rate,omitempty"` // operations a second of all clients
}

func (s Switch) String() string {
	if s.On {
		return "switch on the workload " + s.Name
	}
	return "switch off the workload " + s.Name
}

// The bounds of a workload, so that a page cannot overwhelm the machine.
const (
	mostClients = 50
	mostRate    = 2000.0
	setUpLimit  = 10 * time.Second
	opLimit     = 5 * time.Second
)

// postLoad switches a workload. It answers when that is done.
func (p *Page) postLoad(w http.ResponseWriter, r *http.Request) {
	var s Switch
	if !read(w, r, &s) {
		return
	}
	_, over, ok := p.begin(patience)
	if !ok {
		stopping(w)
		return
	}
	defer over()
	one, err := p.loads.take(s)
	if err != nil {
		refuse(w, statusOf(err), sentence(err))
		return
	}
	p.publish()
	p.cluster.Journal().Record(journal.Event{Kind: journal.By, Node: journal.None, Text: s.String()})
	if s.On {
		err = p.loads.on(p.life, one)
	} else {
		p.loads.off(one)
	}
	p.publish()
	if err != nil {
		refuse(w, statusOf(err), sentence(err))
		return
	}
	answer(w, http.StatusOK, struct{}{})
}

// take reserves the workload for the switch.
func (l *loads) take(s Switch) (*load, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.all, func(one *load) bool { return one.workload.Name() == s.Name })
	switch {
	case i < 0:
		return nil, bad("there is no workload %q", s.Name)
	case s.Clients < 0 || s.Clients > mostClients:
		return nil, bad("a workload has 1 to %d clients, not %d", mostClients, s.Clients)
	case !(s.Rate >= 0 && s.Rate <= mostRate):
		return nil, bad("the rate of a workload is above 0 and at most %v operations a second, not %v", mostRate, s.Rate)
	case l.all[i].busy:
		return nil, fmt.Errorf("the workload %s is being switched already", s.Name)
	case (l.all[i].running != nil) == s.On:
		return nil, fmt.Errorf("the workload %s is %s already", s.Name, map[bool]string{true: "on", false: "off"}[s.On])
	}
	one := l.all[i]
	if s.Clients > 0 {
		one.clients = s.Clients
	}
	if s.Rate > 0 {
		one.rate = s.Rate
	}
	one.busy, one.err = true, ""
	return one, nil
}

// on sets the workload up and starts its clients, which run until it is switched off or ctx ends.
func (l *loads) on(ctx context.Context, one *load) error {
	l.mu.Lock()
	l.runs++
	l.latest = time.Now()
	w := workload.Load{
		Workload: one.workload, Clients: one.clients, Rate: one.rate / float64(one.clients), Deadline: opLimit, Seed: uint64(l.runs),
		First: firstOfRun * l.runs,
	}
	l.mu.Unlock()
	running, err := start(ctx, l.cluster, w)
	l.mu.Lock()
	defer l.mu.Unlock()
	one.busy, one.running = false, running
	if err != nil {
		one.err = sentence(err)
	}
	return err
}

// firstOfRun is how far the numbers of clients of two runs are apart.
const firstOfRun = 1000

// start starts a load, unless it cannot be set up soon: without a leader that would go on until there is one.
func start(ctx context.Context, c *harness.Cluster, w workload.Load) (*workload.Running, error) {
	setting, cancel := context.WithTimeout(ctx, setUpLimit)
	defer cancel()
	if err := w.Workload.Setup(setting, c); err != nil {
		return nil, fmt.Errorf("set up workload %s: %w", w.Workload.Name(), err)
	}
	return w.Start(ctx, c)
}

// off stops the clients, and blocks until their operations have ended.
func (l *loads) off(one *load) {
	l.mu.Lock()
	running := one.running
	l.mu.Unlock()
	running.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	one.before = plus(one.before, running.Tally())
	one.running, one.busy = nil, false
}

// final reads everything once more on each node, for the judges, of the workloads that ran. That proves something only at rest: it
// tells why it did not read.
func (l *loads) final(ctx context.Context) (why string, err error) {
	l.mu.Lock()
	var ran []workload.Workload
	for _, one := range l.all {
		if one.running != nil || one.busy {
			l.mu.Unlock()
			return "a workload is running: switch it off for a final read of every node", nil
		}
		if one.before.Total() > 0 {
			ran = append(ran, one.workload)
		}
	}
	l.mu.Unlock()
	if len(l.cluster.OnlineNodes()) < l.cluster.Size() {
		return "a node is offline: heal the cluster for a final read of every node", nil
	}
	if err := l.cluster.WaitForAllOnline(ctx); err != nil {
		return "", fmt.Errorf("before the final reads: %w", err)
	}
	var errs []error
	for _, w := range ran {
		errs = append(errs, w.Final(ctx, l.cluster))
	}
	return "", errors.Join(errs...)
}

// switchedOn is when a workload was switched on last: final reads before it are none any longer.
func (l *loads) switchedOn() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest
}

// close stops all clients. Nothing is being switched any longer.
func (l *loads) close() {
	l.mu.Lock()
	var running []*workload.Running
	for _, one := range l.all {
		if one.running != nil {
			running = append(running, one.running)
		}
	}
	l.mu.Unlock()
	for _, one := range running {
		one.Stop()
	}
}
