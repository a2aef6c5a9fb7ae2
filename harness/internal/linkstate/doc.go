// Package linkstate computes the effective rule of each link of a cluster: the rule that was set,
// overridden while one of its nodes is isolated. It touches no network. Each change returns the
// links whose effective rule is different from then on; the caller applies them to a network.
//
//	SetRule(n0, n1, slow) ─┐
//	                       ├─> Effective(n0, n1): the rule, or cut while n0 or n1 is isolated
//	SetIsolated(n1, true) ─┘
package linkstate
