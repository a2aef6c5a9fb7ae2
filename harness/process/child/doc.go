// Package child is a node in a process of its own, and what the two processes
// say to each other.
//
//	parent ──stdin──> one Config, and then nothing: its end is the parent's end
//	parent <──fd 3─── "ready" once the node serves: the pipe's end before that is the node's end
//	parent <═ unix socket ═> Orders, health, digest, and the node's whole HTTP API,
//	                         past every fault of the network
//
// Run is the node's side; it is all there is to the command harness/cmd/node.
// Client is the parent's. Harness and test framework are imported by neither.
package child
