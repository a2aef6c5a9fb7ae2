// Package compare tells whether two journals of virtual time are equal to the nanosecond, and finds the
// first difference.
package compare
