package process

// Pid returns the process ID of the node's latest life.
func (c *Cluster) Pid(node int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[node].life.body.pid()
}

// Sockets returns the directory of the nodes' control sockets.
func (c *Cluster) Sockets() string { return c.sockets }

// Dir returns the directory of the nodes' files.
func (c *Cluster) Dir() string { return c.dir }

// DirOf returns the directory of a node's files.
func (c *Cluster) DirOf(node int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[node].home.dir()
}
