// Package programs is the target of a described database whose nodes the harness starts: programs on hosts, as package
// proc runs them, without Go code. See described.Programs.
package programs
