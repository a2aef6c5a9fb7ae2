package embedded

// Logged tells whether the node has stored that it has a log, which it does once it is
// online.
func (n *Node) Logged() bool { return n.identity.get().Logged }
