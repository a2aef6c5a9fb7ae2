// Package fakedb is a target with a small replicated database in memory, for the tests of the kit. Each node holds its rows
// in SQLite. A committed request is an entry of one log, which each node applies as soon as it can reach the leader.
//
// It has most abilities, and its faults take effect: see package targettest, which it passes. It declares no assumption.
// Package fake, in contrast, has no data: its answers are prepared.
//
// All of a cluster happens under one lock, so it is neither fast nor concurrent. Nothing runs by itself: elections and the
// application of entries happen within the calls.
package fakedb
