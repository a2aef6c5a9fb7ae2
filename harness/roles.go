package harness

import (
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// recordRoles records the changes of roles that the nodes report, where the target can tell.
func (c *Cluster) recordRoles() {
	reporter, can := target.As[target.RoleReporter](c.cluster)
	if !can {
		return
	}
	reporter.ReportRoles(func(change target.RoleChange) {
		state := journal.State{Role: change.Role, Leader: change.Leader, Term: change.Term}
		c.journal.Record(journal.Event{At: change.At, Kind: journal.Role, Node: change.Node, State: &state})
	})
}

// describeTarget completes what the journal says of a cluster that was booted.
func describeTarget(info *journal.BootInfo, booted target.Cluster) {
	if named, can := target.As[target.Named](booted); can {
		info.Target = named.Name()
	}
	for _, ability := range target.Abilities() {
		if target.Can(booted, ability) {
			info.Abilities = append(info.Abilities, string(ability))
		}
	}
}
