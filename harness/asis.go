package harness

// AsIs is a view of the cluster that waits for nothing: VerifyDataConsistency compares
// the nodes, and a statement with the consistency target.Local meets its node, in the
// state of this instant, however far behind a node may be.
func (c *Cluster) AsIs() *Cluster {
	view := *c
	view.asIs = true
	return &view
}

// AsIs is a view of the node that waits for nothing; see Cluster.AsIs.
func (n *Node) AsIs() *Node {
	view := *n
	view.asIs = true
	return &view
}
