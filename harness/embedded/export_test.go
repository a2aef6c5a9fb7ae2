package embedded

// Logged tells whether a node has stored that it has a log, which it does once it is
// online.
func Logged(n *Node) bool { return n.identity.get().Logged }
