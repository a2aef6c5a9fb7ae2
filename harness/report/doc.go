// Package report describes a cluster for the reader of a failure: a table of its nodes, a timeline,
// and the latest events. It changes nothing.
package report
