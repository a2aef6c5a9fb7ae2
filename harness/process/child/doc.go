// Package child is a node in its own process, and the protocol between that process and its parent.
//
//	parent ──stdin──> one Config, and nothing else; the end of stdin means that the parent has ended
//	parent <──fd 3─── "ready" when the node serves; an end before that means that the node has ended
//	parent <═ unix socket ═> Orders, health, digest, and the node's whole HTTP API, unaffected by network faults
//
// Run is the node's side, and the whole of the command harness/cmd/node. Client is the parent's side. The package imports
// neither the harness nor a test framework.
package child
