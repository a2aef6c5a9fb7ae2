// Package dqlite tests dqlite, Canonical's SQLite over Raft, with Rejoin.
//
//	binary, remove, err := dqlite.Build(ctx)
//	specs.Main(t, dqlite.New(dqlite.Options{Binary: binary}))
//
// A node is the program in node, on a host of its own. Clients use the Go driver of dqlite, which finds the leader by asking the
// node that the client was told to use. What a node holds itself is read from a dump of its database.
//
// It is a module of its own, so that a program which imports Rejoin does not need dqlite.
package dqlite
