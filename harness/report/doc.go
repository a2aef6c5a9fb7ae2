// Package report puts a cluster into words for whoever reads a failure: a table
// of its nodes, and what happened last. It only reads.
package report
