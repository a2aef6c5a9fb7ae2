package inprocess

import (
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// mostEarly is how many changes of roles are kept for the first function of ReportRoles.
const mostEarly = 1000

// roleReports passes the changes of all nodes' roles on, and keeps those before ReportRoles.
type roleReports struct {
	mu     sync.Mutex
	report func(target.RoleChange)
	early  []target.RoleChange
}

func (r *roleReports) of(node int) func(embedded.RoleChange) {
	return func(c embedded.RoleChange) {
		r.mu.Lock()
		defer r.mu.Unlock()
		change := target.RoleChange{Node: node, At: c.At, Role: c.Role, Term: c.Term, Leader: c.Leader}
		switch {
		case r.report != nil:
			r.report(change)
		case len(r.early) < mostEarly:
			r.early = append(r.early, change)
		}
	}
}

// ReportRoles calls the function with the changes so far, and from then on as they happen.
func (c *Cluster) ReportRoles(report func(target.RoleChange)) {
	r := &c.roles
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, change := range r.early {
		report(change)
	}
	r.report, r.early = report, nil
}

// Name is the name of the cluster's target.
func (c *Cluster) Name() string { return c.plan.Name }
