// Package local is the target of embedded nodes in this process: real Raft, real
// SQLite files in temporary directories, real sockets on loopback.
//
// Nodes and clients reach each other over one network.Network, so links can be
// cut; beside each node stands a client that the cuts do not touch.
package local
