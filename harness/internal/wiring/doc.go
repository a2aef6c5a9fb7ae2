// Package wiring is what the links of a cluster are to be: the rule of each, and
// over it the isolation of nodes. It touches no network. Each change returns the
// links that are different from then on, for whoever runs the network to make so.
//
//	SetRule(n0, n1, slow) ─┐
//	                       ├─> Effective(n0, n1): the rule, or cut while n0 or n1 is isolated
//	SetIsolated(n1, true) ─┘
package wiring
