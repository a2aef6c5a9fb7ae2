// Package compare tells whether two journals of virtual time are the same, to the
// nanosecond, and where they part.
package compare
