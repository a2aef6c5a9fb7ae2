// Package again writes the command that runs a failure again, as a line for a shell.
//
//	Spec      a spec of this module's suite in virtual time   make replay SEED=17 SPEC='…'
//	Schedule  a schedule of faults in virtual time            make replay CHAOS=1 SEED=17
//	Test      a spec of any package's suite                   go test -run='^TestShop$' …
package again
