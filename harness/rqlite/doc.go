// Package rqlite tests rqlite, SQLite replicated by Raft behind an HTTP API, with Rejoin.
//
//	specs.Main(t, rqlite.New(rqlite.Options{Binary: "/usr/local/bin/rqlited"}))
//
// Any rqlited binary will do. A node is that program on a host of its own, and clients use its HTTP API.
package rqlite
