// Package disk is a node's disk, and everything that can be wrong with one.
package disk
