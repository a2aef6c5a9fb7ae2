// Package defects is a catalogue of planted bugs, to show what a suite catches. Each
// stands at a seam of a node (embedded.Seams), of the target or of the harness
// (harness.Router), and does there what a bug of that kind would. Nothing of it is in
// the node's own code, and none is there unless it is named.
//
//	REJOIN_DEFECT=skips-an-entry REJOIN_TARGET=virtual go tool ginkgo .   # one of them
//	make defects                                                        # all, and who caught them
//
// A bug is as subtle as its sentence, and bites by itself, in situations that a suite
// makes for other reasons.
package defects
