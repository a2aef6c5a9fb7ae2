// Package again writes the shell command that runs a spec or a schedule of faults in virtual time again:
// make replay SEED=17 SPEC='…'. The make target runs cmd/replay.
package again
