package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Action is one action on the cluster. Do says which; it decides which other fields have a meaning.
type Action struct {
	Do   string `json:"do"`
	Key  string `json:"key,omitempty"` // names the button, so that all pages show that it is under way
	Node int    `json:"node"`

	Mode     string  `json:"mode,omitempty"`     // take offline: a fault.Mode
	Wiped    bool    `json:"wiped,omitempty"`    // bring online: on an empty disk
	Suffrage string  `json:"suffrage,omitempty"` // add node: voter or non-voter
	From     int     `json:"from"`               // link, reset, flap: -1 for the clients
	To       int     `json:"to"`
	Both     bool    `json:"both,omitempty"` // link, reset, flap: the link back, too
	Rule     *Rule   `json:"rule,omitempty"` // link: none for a sound link
	Every    string  `json:"every,omitempty"`
	Groups   [][]int `json:"groups,omitempty"` // partition, and bridge: left, bridge, right
	Disk     *Disk   `json:"disk,omitempty"`   // disk: none for a sound disk
	Part     string  `json:"part,omitempty"`   // damage: a fault.Part
	Ahead    string  `json:"ahead,omitempty"`  // clock: a duration, which may be negative; none for the right time
	SQL      string  `json:"sql,omitempty"`    // diverge, compare
}

// patience bounds an action.
const patience = time.Minute

// done is what an action has done, as a sentence without a full stop.
type done = string

// verb is one thing to do: where its button is, how it is called while it is under way, and how it is done.
type verb struct {
	name  string
	place func(Action) string
	words func(Action) string
	run   func(context.Context, *harness.Cluster, Action) (done, error)
}

func ofNode(a Action) string             { return fmt.Sprintf("node %d", a.Node) }
func ofNetwork(Action) string            { return "network" }
func ofCluster(Action) string            { return "cluster" }
func words(s string) func(Action) string { return func(Action) string { return s } }

// verbs are all actions.
func verbs() []verb { return slices.Concat(nodeVerbs, linkVerbs, clusterVerbs) }

// postDo does an action. It answers when that is done.
func (p *Page) postDo(w http.ResponseWriter, r *http.Request) {
	var a Action
	if !read(w, r, &a) {
		return
	}
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == a.Do })
	if i < 0 {
		refuse(w, http.StatusBadRequest, fmt.Sprintf("there is no action %q", a.Do))
		return
	}
	const longestKey = 200
	if len(a.Key) > longestKey {
		refuse(w, http.StatusBadRequest, "the key is too long")
		return
	}
	ctx, over, ok := p.begin(patience)
	if !ok {
		stopping(w)
		return
	}
	defer over()
	v := all[i]
	one := &Busy{Place: v.place(a), Key: a.Key, Text: v.words(a)}
	if !p.enter(one) {
		refuse(w, http.StatusConflict, one.Text+" is under way already")
		return
	}
	begun := time.Now()
	p.cluster.Journal().Record(journal.Event{At: begun, Kind: journal.By, Node: journal.None, Text: one.Text})
	said, err := v.run(ctx, p.cluster, a)
	took := time.Since(begun)
	if err != nil {
		p.leave(one, Said{Text: sentence(err), Failed: true, At: time.Now().UnixMilli()})
		refuse(w, statusOf(err), sentence(err))
		return
	}
	if took >= time.Millisecond {
		said = fmt.Sprintf("%s, in %v", said, took.Round(time.Millisecond))
	}
	p.leave(one, Said{Text: said, At: time.Now().UnixMilli()})
	answer(w, http.StatusOK, Said{Text: said, At: time.Now().UnixMilli()})
}

// enter notes that an action is under way. It is false if the same one is.
func (p *Page) enter(one *Busy) bool {
	p.board.mu.Lock()
	for _, other := range p.board.busy {
		if *other == *one {
			p.board.mu.Unlock()
			return false
		}
	}
	p.board.busy = append(p.board.busy, one)
	p.board.mu.Unlock()
	p.publish()
	return true
}

// leave notes what came of an action, and has the nodes asked what they make of it.
func (p *Page) leave(one *Busy, said Said) {
	p.board.mu.Lock()
	p.board.busy = slices.DeleteFunc(p.board.busy, func(other *Busy) bool { return other == one })
	p.board.said[one.Place] = said
	p.board.mu.Unlock()
	p.publish()
	p.look()
}

// badRequest is an error in what was asked for.
type badRequest struct{ error }

func bad(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

func (e badRequest) Unwrap() error { return e.error }

// statusOf is the HTTP status of an error.
func statusOf(err error) int {
	var (
		wrong badRequest
		index *harness.IndexError
		gone  *harness.RemovedError
	)
	switch {
	case errors.As(err, &wrong):
		return http.StatusBadRequest
	case errors.As(err, &index), errors.As(err, &gone):
		return http.StatusNotFound
	case errors.Is(err, harness.ErrUnsupported):
		return http.StatusNotImplemented
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return http.StatusConflict // the cluster is not in a state for it
}

// sentence is an error for people.
func sentence(err error) string { return upper(err.Error()) }
