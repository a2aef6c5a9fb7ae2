// Package journal keeps what happened to a cluster, in order: operations with
// their outcomes, flags, faults, waits, what nodes took. It is bounded: of a long run it keeps
// the end. Whoever explains a failure reads it.
package journal
