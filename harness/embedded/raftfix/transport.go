package raftfix

import "github.com/hashicorp/raft"

// Transport is Raft's transport with pre-votes: without them no leader is ever elected.
type Transport interface {
	raft.Transport
	raft.WithPreVote
	raft.WithClose
}

// transport embeds Transport as an unexported field.
type transport interface{ Transport }
