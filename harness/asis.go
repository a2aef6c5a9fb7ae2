package harness

// AsIs returns a view of the cluster that does not wait for nodes to catch up:
// VerifyDataConsistency compares the nodes once, and a request that reads with target.Local is
// sent at once, however far behind a node is.
func (c *Cluster) AsIs() *Cluster {
	view := *c
	view.asIs = true
	return &view
}

// AsIs returns a view of the node whose requests do not wait for it to catch up; see
// Cluster.AsIs.
func (n *Node) AsIs() *Node {
	view := *n
	view.asIs = true
	return &view
}
