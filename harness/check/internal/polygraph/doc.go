// Package polygraph finds out whether a graph whose edges are partly to be chosen can be
// without a cycle (Papadimitriou, "The Serializability of Concurrent Database Updates",
// J. ACM 1979). Which of two writes came first is such a choice: each side brings edges
// of its own (Tan et al., "Cobra: Making Transactional Key-Value Stores Verifiably
// Serializable", OSDI 2020).
//
// The search is exact. It learns from every cycle which choices exclude each other, as
// solvers of satisfiability do (Marques-Silva and Sakallah, "GRASP", IEEE Trans. Comput.
// 1999), and gives up only few choices at a time (Nadel and Ryvchin, "Chronological
// Backtracking", SAT 2018).
package polygraph
