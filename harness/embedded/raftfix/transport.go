package raftfix

import "github.com/hashicorp/raft"

// Transport is a transport of Raft's with pre-votes: without them no leader is ever elected.
type Transport interface {
	raft.Transport
	raft.WithPreVote
	raft.WithClose
}

// transport is Transport, as a field that is not exported.
type transport interface{ Transport }
