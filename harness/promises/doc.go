// Package promises watches what the nodes of a cluster have promised, as far as any answer
// or status ever told, and whether they keep it: an acknowledged change is remembered, one
// node leads in a term, and a vote is not taken back.
//
// A Monitor is told what is seen, and finds contradictions. It knows no cluster, and asks
// nothing itself.
package promises
