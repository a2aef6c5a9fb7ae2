// Package mutate makes mutants of Go packages: copies with one small mistake each, to see
// whether tests notice. All mutants of all packages are in one build, and package mutant
// switches one of them on, so that a suite compiles once ("mutant schemata": Untch, Offutt,
// Harrold, "Mutation Analysis Using Mutant Schemata", ISSTA 1993).
//
// The mistakes are those that programmers make: a condition the wrong way round, an error
// that is ignored or not returned, a bound that is off by one, a number that is another, a
// call, an assignment, a defer, a break or a continue that is missing. Text that only people
// read (messages, logs) and locks are left alone.
//
// The libraries for Go that are maintained compile each mutant for itself, and leave no
// statement out: 300 mutants of this module would be 300 times a link and a whole run.
package mutate
