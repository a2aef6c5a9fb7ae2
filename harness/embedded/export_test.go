package embedded

// Logged reports whether a node has recorded that it has a log, which it does once it is online.
func Logged(n *Node) bool { return n.identity.get().Logged }
