// Package polygraph decides whether a graph with choices between edges can be acyclic
// (Papadimitriou, "The Serializability of Concurrent Database Updates", J. ACM 1979). The order of
// two writes is such a choice: each side has its own edges (Tan et al., "Cobra: Making Transactional
// Key-Value Stores Verifiably Serializable", OSDI 2020).
//
// The search is exact. It learns conflicts between choices from cycles, as SAT solvers do
// (Marques-Silva and Sakallah, "GRASP", IEEE Trans. Comput. 1999), and backtracks few choices at a
// time (Nadel and Ryvchin, "Chronological Backtracking", SAT 2018).
package polygraph
