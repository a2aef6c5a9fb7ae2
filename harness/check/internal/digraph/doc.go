// Package digraph finds cycles in graphs of dependencies between transactions. Whether there are
// cycles is decided by the strongly connected components, in linear time; short cycles are found by
// breadth-first search. It does not depend on histories.
//
//	Sketch       collects edges                        Edge, Joint, Fan, Spread
//	Graph        stores them in compressed rows           Components, Topological, Apart
//	Hunt         searches for short cycles of a Shape     Cycles
//
// A Graph is safe for concurrent use once it is made. The other types are not.
package digraph
