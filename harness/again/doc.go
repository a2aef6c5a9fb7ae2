// Package again writes the command that runs a spec or a schedule of faults in virtual
// time again, as a line for a shell: make replay SEED=17 SPEC='…'. Command replay is what
// the line runs.
package again
