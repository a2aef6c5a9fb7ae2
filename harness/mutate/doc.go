// Package mutate makes mutants of Go packages: copies with one small mistake each, to see whether tests notice. One
// build holds all mutants of all packages, and package mutant turns one of them on, so that a suite compiles only once
// ("mutant schemata": Untch, Offutt, Harrold, "Mutation Analysis Using Mutant Schemata", ISSTA 1993).
//
// The mistakes are common ones: a negated condition, an error that is ignored or not returned, an off-by-one bound, a
// wrong number, a missing call, assignment, defer, break or continue. Messages, logs and locks are not mutated.
//
// The maintained mutation libraries for Go compile each mutant separately and have no operator that removes a
// statement: 300 mutants of this module would need 300 links and 300 whole runs.
package mutate
