package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
	beat := time.NewTicker(n.election / 3)
	defer beat.Stop()
	for {
		select {
		case <-n.ended.Done():
			return
		case <-n.wake[peer]:
		case <-beat.C:
		}
		var ask *shipRequest
		var sent time.Time
		if !n.do(func() (err error) { sent = time.Now(); ask, err = n.lacking(peer); return err }) {
			return
		}
		var got shipResponse
		if ask == nil || n.post(peer, "/ship/append", ask, &got) != nil {
			continue
		}
		if !n.do(func() error { return n.shipped(peer, ask, got, sent) }) {
			return
		}
	}
}

// lacking returns the next request to a peer; nil if the node does not lead.
func (n *node) lacking(peer string) (ask *shipRequest, err error) {
	if n.role != leader {
		return nil, nil
	}
	ask = &shipRequest{Term: n.term, Leader: n.name, Prev: n.next[peer] - 1, Commit: n.commit}
	if ask.PrevTerm, err = n.store.termAt(ask.Prev); err == nil {
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
	if n.post(peer, "/ship/vote", ask, &got) != nil {
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

// patience is how long a peer may take to answer.
const patience = time.Second

func (n *node) post(peer, path string, ask, into any) error {
	ctx, cancel := context.WithTimeout(n.ended, patience)
	defer cancel()
	text, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.peers[peer]+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
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
