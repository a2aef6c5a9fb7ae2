package harness

import "fmt"

// Quorum is how many of the voters must agree: more than half of them. It is 0 once the
// cluster is closed.
func (c *Cluster) Quorum() int {
	if c.isClosed() {
		return 0
	}
	_, voters := c.voters()
	return quorumOf(voters)
}

func quorumOf(voters int) int { return voters/2 + 1 }

// voters counts the members that vote, and those of them whose flag is up.
func (c *Cluster) voters() (onlineVoters, voters int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.members {
		switch {
		case !m.voter || m.flag == removed:
			continue
		case m.flag == online:
			onlineVoters++
		}
		voters++
	}
	return onlineVoters, voters
}

// missingQuorum says that fewer voters are online than a quorum needs; empty if enough are.
func missingQuorum(onlineVoters, voters int) string {
	if quorum := quorumOf(voters); onlineVoters < quorum {
		return fmt.Sprintf("no quorum: %d of %d voters online, %d needed", onlineVoters, voters, quorum)
	}
	return ""
}
