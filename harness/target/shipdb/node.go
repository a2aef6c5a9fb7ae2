package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The planted bugs.
const (
	early   = "early"
	again   = "again"
	deposed = "deposed"
)

type role string

const (
	follower  role = "follower"
	candidate role = "candidate"
	leader    role = "leader"
)

// node elects a leader, and ships the leader's log. One goroutine, that of run, owns everything below events; others
// send it functions.
type node struct {
	config
	store  *store
	failed context.CancelCauseFunc // ends run with an error of the disk
	ended  context.Context         // ends with run
	client *http.Client
	events chan func() error
	tasks  sync.WaitGroup
	apply  chan struct{}            // something is committed
	wake   map[string]chan struct{} // a peer has something to send to it

	role         role
	term         uint64
	vote, leader string
	last         uint64 // index of the last entry
	commit       uint64
	applied      uint64
	deadline     time.Time // of a follower or candidate: then it stands for election
	votes        int
	first        uint64               // of a leader: the first entry of its term
	since        time.Time            // of a leader: when it began to listen
	match        map[string]uint64    // of a leader: the last entry that a peer has
	next         map[string]uint64    // of a leader: the next entry to send
	heard        map[string]time.Time // of a leader: when the last request was sent that the peer has answered
	waiting      map[uint64]waiter    // for entries to be executed
	reads        []read               // for a majority
}

type waiter struct {
	term   uint64
	answer chan<- answer
}

type read struct {
	at    time.Time
	index uint64      // to be executed before
	ready chan<- bool // false if the node ceases to lead
}

type answer struct {
	Index   uint64   `json:"index,omitempty"`
	Results []result `json:"results,omitempty"`
	Error   *failure `json:"error,omitempty"`
	status  int
}

func newNode(c config, s *store) (*node, error) {
	n := &node{
		config: c, store: s, role: follower,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}},
		events: make(chan func() error), apply: make(chan struct{}, 1), wake: make(map[string]chan struct{}),
		waiting: make(map[uint64]waiter),
	}
	for peer := range c.peers {
		if peer != c.name {
			n.wake[peer] = make(chan struct{}, 1)
		}
	}
	var failures [3]error
	n.term, n.vote, failures[0] = s.vote()
	n.last, _, failures[1] = s.last()
	n.applied, failures[2] = s.applied()
	n.commit = n.applied
	n.ended, n.failed = context.WithCancelCause(context.Background())
	n.postpone()
	return n, errors.Join(failures[:]...)
}

// run blocks until ctx ends, or the disk fails.
func (n *node) run(ctx context.Context) error {
	n.tasks.Go(n.applier)
	for peer := range n.wake {
		n.tasks.Go(func() { n.shipper(peer) })
		n.tasks.Go(func() { n.beater(peer) })
	}
	tick := time.NewTicker(n.election / 15)
	defer tick.Stop()
	var err error
	for err == nil && ctx.Err() == nil && n.ended.Err() == nil {
		select {
		case <-ctx.Done():
		case <-n.ended.Done():
			err = context.Cause(n.ended)
		case event := <-n.events:
			begun := time.Now()
			if err = event(); time.Since(begun) > n.election/2 {
				n.excuse()
			}
		case <-tick.C:
			err = n.tick()
		}
	}
	n.failed(err)
	n.tasks.Wait()
	return err
}

// do calls f on the goroutine that owns the node, and blocks until it has returned. It returns false if the node ends.
// An error of f ends the node: its disk has failed.
func (n *node) do(f func() error) bool {
	done := make(chan error, 1)
	select {
	case n.events <- func() error { err := f(); done <- err; return err }:
		return <-done == nil
	case <-n.ended.Done():
		return false
	}
}

func (n *node) majority() int { return len(n.peers)/2 + 1 }

func (n *node) postpone() {
	n.deadline = time.Now().Add(n.election + rand.N(n.election))
}

// excuse gives the others time again after the disk has kept the node from listening to them.
func (n *node) excuse() {
	n.since = time.Now()
	n.postpone()
}

func (n *node) tick() error {
	switch {
	case n.role == leader && n.hasMajority(time.Now().Add(-2*n.election)):
		return nil
	case n.role == leader && time.Since(n.since) > 2*n.election:
		return n.become(follower, n.term)
	case n.role != leader && time.Now().After(n.deadline):
		return n.stand()
	}
	return nil
}

// hasMajority tells whether a majority has answered to what was sent since then.
func (n *node) hasMajority(since time.Time) bool {
	count := 1
	for _, at := range n.heard {
		if !at.Before(since) {
			count++
		}
	}
	return count >= n.majority() || n.bug == deposed
}

// become changes the role. A new term has no vote yet.
func (n *node) become(r role, term uint64) error {
	if term > n.term {
		n.term, n.vote = term, ""
		if err := n.store.setVote(term, ""); err != nil {
			return err
		}
	}
	if r != n.role {
		fmt.Printf("%s in term %d\n", r, term)
	}
	n.role, n.leader = r, ""
	n.postpone()
	for _, r := range n.reads {
		r.ready <- false
	}
	n.reads = nil
	return nil
}

// stand stands for election in the next term.
func (n *node) stand() error {
	if err := n.become(candidate, n.term+1); err != nil {
		return err
	}
	n.vote, n.votes = n.name, 1
	if err := n.store.setVote(n.term, n.name); err != nil {
		return err
	}
	_, lastTerm, err := n.store.last()
	if err != nil {
		return err
	}
	ask := voteRequest{Term: n.term, Candidate: n.name, Last: n.last, LastTerm: lastTerm}
	for peer := range n.wake {
		n.tasks.Go(func() { n.askVote(peer, ask) })
	}
	return n.count()
}

// count makes a candidate with enough votes the leader.
func (n *node) count() error {
	if n.role != candidate || n.votes < n.majority() {
		return nil
	}
	if err := n.become(leader, n.term); err != nil {
		return err
	}
	n.leader, n.since = n.name, time.Now()
	n.match, n.next, n.heard = make(map[string]uint64), make(map[string]uint64), make(map[string]time.Time)
	for peer := range n.wake {
		n.next[peer] = n.last + 1
	}
	n.first = n.last + 1
	return n.add(json.RawMessage("[]"), nil) // what earlier leaders left behind is committed with it
}

// add adds an entry to the leader's log. Its answer goes to the channel, which has room for it.
func (n *node) add(statements json.RawMessage, to chan<- answer) error {
	n.last++
	if err := n.store.append([]entry{{n.last, n.term, statements}}); err != nil {
		return err
	}
	if to != nil {
		n.waiting[n.last] = waiter{n.term, to}
	}
	n.wakeAll()
	return n.advance()
}

// advance commits what a majority has, up to an entry of the leader's own term.
func (n *node) advance() error {
	have := []uint64{n.last}
	for peer := range n.wake {
		have = append(have, n.match[peer])
	}
	slices.Sort(have)
	slices.Reverse(have)
	quorum := n.majority()
	if n.bug == early && quorum > 1 {
		quorum--
	}
	index := have[quorum-1]
	term, err := n.store.termAt(index)
	if err == nil && term == n.term && index > n.commit {
		n.commitTo(index)
		n.wakeAll()
	}
	return err
}

func (n *node) commitTo(index uint64) {
	n.commit = index
	notify(n.apply)
}

func (n *node) wakeAll() {
	for _, wake := range n.wake {
		notify(wake)
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
