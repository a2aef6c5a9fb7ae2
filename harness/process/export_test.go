package process

// Pid is the process of the node's latest life.
func (c *Cluster) Pid(node int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[node].life.cmd.Process.Pid
}

// Sockets is where the nodes' control sockets are.
func (c *Cluster) Sockets() string { return c.sockets }

// Dir is where the nodes' files are.
func (c *Cluster) Dir() string { return c.dir }
