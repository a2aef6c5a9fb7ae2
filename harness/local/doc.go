// Package local is the target of embedded nodes in this process: real Raft, real SQLite files in temporary directories,
// real sockets on loopback.
//
// Nodes and clients communicate over one network.Network, so that links can be cut. Each node also has a client that
// cuts do not affect.
package local
