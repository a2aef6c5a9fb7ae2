package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// shipRequest carries entries of the leader's log, or none, as a sign of life.
type shipRequest struct {
	Term           uint64
	Leader         string
	Prev, PrevTerm uint64 // the entry before
	Entries        []entry
	Commit         uint64
}

type shipResponse struct {
	Term uint64
	OK   bool
	Last uint64 // if not OK: an entry that both may have
}

type voteRequest struct {
	Term           uint64
	Candidate      string
	Last, LastTerm uint64
}

type voteResponse struct {
	Term    uint64
	Granted bool
}

// shipper sends a peer what it lacks, while the node leads.
func (n *node) shipper(peer string) {
	for {
		select {
		case <-n.ended.Done():
			return
		case <-n.wake[peer]:
		}
		if !n.ship(peer, true) {
			return
		}
	}
}

// beater sends a peer signs of life, while the node leads: apart from entries, which may take long.
func (n *node) beater(peer string) {
	beat := time.NewTicker(n.election / 3)
	defer beat.Stop()
	for {
		select {
		case <-n.ended.Done():
			return
		case <-beat.C:
		}
		if !n.ship(peer, false) {
			return
		}
	}
}

// ship sends one request to a peer, and takes its answer. It returns false if the node ends.
func (n *node) ship(peer string, entries bool) bool {
	var ask *shipRequest
	var sent time.Time
	if !n.do(func() (err error) { sent = time.Now(); ask, err = n.lacking(peer, entries); return err }) {
		return false
	}
	var got shipResponse
	if ask == nil || n.post(peer, "/ship/append", ask.Term, ask, &got) != nil {
		return true
	}
	return n.do(func() error { return n.shipped(peer, ask, got, sent) })
}

// lacking returns the next request to a peer; nil if the node does not lead.
func (n *node) lacking(peer string, entries bool) (ask *shipRequest, err error) {
	if n.role != leader {
		return nil, nil
	}
	ask = &shipRequest{Term: n.term, Leader: n.name, Prev: n.next[peer] - 1, Commit: n.commit}
	if ask.PrevTerm, err = n.store.termAt(ask.Prev); err == nil && entries {
		ask.Entries, err = n.store.entries(n.next[peer], n.last)
	}
	return ask, err
}

// shipped takes the answer of a peer.
func (n *node) shipped(peer string, ask *shipRequest, got shipResponse, sent time.Time) error {
	switch {
	case got.Term > n.term:
		return n.become(follower, got.Term)
	case n.role != leader || n.term != ask.Term:
		return nil
	}
	n.heard[peer] = sent
	if got.OK {
		n.match[peer] = max(n.match[peer], ask.Prev+uint64(len(ask.Entries)))
		n.next[peer] = n.match[peer] + 1
	} else {
		n.next[peer] = min(ask.Prev, got.Last+1)
	}
	if n.next[peer] <= n.last {
		notify(n.wake[peer])
	}
	n.release()
	return n.advance()
}

// onShip takes entries from a leader.
func (n *node) onShip(ask shipRequest) (shipResponse, error) {
	no := func(last uint64, err error) (shipResponse, error) { return shipResponse{n.term, false, last}, err }
	if ask.Term < n.term {
		return no(n.last, nil)
	}
	if ask.Term > n.term || n.role != follower {
		if err := n.become(follower, ask.Term); err != nil {
			return no(0, err)
		}
	}
	n.leader = ask.Leader
	n.postpone()
	if ask.Prev > n.last {
		return no(n.last, nil)
	}
	if term, err := n.store.termAt(ask.Prev); err != nil || term != ask.PrevTerm {
		return no(ask.Prev-1, err)
	}
	if len(ask.Entries) > 0 {
		if err := n.store.append(ask.Entries); err != nil {
			return no(0, err)
		}
		var err error
		if n.last, _, err = n.store.last(); err != nil {
			return no(0, err)
		}
	}
	if commit := min(ask.Commit, ask.Prev+uint64(len(ask.Entries))); commit > n.commit {
		n.commitTo(commit)
	}
	return shipResponse{n.term, true, n.last}, nil
}

// onVote votes for a candidate, once a term, if it has all that is committed.
func (n *node) onVote(ask voteRequest) (voteResponse, error) {
	if ask.Term > n.term {
		if err := n.become(follower, ask.Term); err != nil {
			return voteResponse{}, err
		}
	}
	_, lastTerm, err := n.store.last()
	if err != nil {
		return voteResponse{}, err
	}
	complete := ask.LastTerm > lastTerm || ask.LastTerm == lastTerm && ask.Last >= n.last
	if ask.Term < n.term || !complete || n.vote != "" && n.vote != ask.Candidate {
		return voteResponse{n.term, false}, nil
	}
	n.vote = ask.Candidate
	n.postpone()
	return voteResponse{n.term, true}, n.store.setVote(n.term, n.vote)
}

// askVote asks one peer for its vote.
func (n *node) askVote(peer string, ask voteRequest) {
	var got voteResponse
	if n.post(peer, "/ship/vote", ask.Term, ask, &got) != nil {
		return
	}
	n.do(func() error {
		switch {
		case got.Term > n.term:
			return n.become(follower, got.Term)
		case n.term == ask.Term && got.Granted:
			n.votes++
		}
		return n.count()
	})
}

// A peer may take patience to answer, and longer if the request is large.
const (
	patience = time.Second
	slowest  = 256 << 10 // bytes in a second
)

// termOf is the header with the term of the node that asks.
const termOf = "Ship-Term"

func (n *node) post(peer, path string, term uint64, ask, into any) error {
	text, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(n.ended, patience+time.Duration(len(text))*time.Second/slowest)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.peers[peer]+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set(termOf, strconv.FormatUint(term, 10))
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, response.Body)
		return fmt.Errorf("%s answers %s", peer, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// hearing takes each part of a request from a leader as a sign of life: large entries may take long.
func (n *node) hearing(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if term, err := strconv.ParseUint(r.Header.Get(termOf), 10, 64); err == nil {
			r.Body = arriving{r.Body, func() {
				n.do(func() error {
					if term >= n.term && n.role != leader {
						n.postpone()
					}
					return nil
				})
			}}
		}
		next(w, r)
	}
}

type arriving struct {
	io.ReadCloser
	sign func()
}

func (a arriving) Read(p []byte) (int, error) {
	read, err := a.ReadCloser.Read(p)
	a.sign()
	return read, err
}
