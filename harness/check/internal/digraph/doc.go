// Package digraph finds cycles in graphs of dependencies between transactions: which
// there are, by linear search for strongly connected components, and short ones, by
// breadth-first search. It knows nothing of histories.
//
//	Sketch       collects edges                        Edge, Joint, Fan, Spread
//	Graph        has them in compressed rows           Components, Topological, Apart
//	Hunt         looks for short cycles of a Shape     Cycles
//
// Graphs are safe for concurrent use once they are made. Nothing else here is.
package digraph
