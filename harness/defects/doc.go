// Package defects is a catalogue of planted bugs. It shows what a suite catches. Each bug decorates a seam of a node
// (embedded.Seams), the target, or the harness (harness.Router, harness.Comparer, harness.Promises). The node's own
// code has no planted bugs, and no bug is active unless it is named.
//
//	REJOIN_DEFECT=skips-an-entry REJOIN_TARGET=virtual go tool ginkgo .   # one bug
//	make defects                                                        # all, and which specs catch them
//
// A bug is as subtle as its sentence says. It takes effect by itself, in situations that a suite creates for other
// reasons.
package defects
