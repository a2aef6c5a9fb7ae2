package embedded

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// headerCluster is the cluster of the node that forwards a request. Only a node of the same
// cluster takes it.
const headerCluster = "Rejoin-Cluster"

// encounters is what a node has found out about the others in this life. It is safe for
// concurrent use.
type encounters struct {
	mu        sync.Mutex
	own       bool              // it has met a member of its own cluster
	met       map[string]bool   // those it has met
	strangers map[string]string // members by their names that belong to another cluster, and why
	emptied   string            // why this directory, which belongs to no cluster, should
	turned    string            // why a member does not take this new node for one
	waiting   map[string]string // first members that have not answered yet, and why
	said      map[string]string // what was logged last about each node
}

// metOwn notes that a node of the same cluster was met.
func (a *encounters) metOwn(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own, a.emptied, a.turned = true, "", ""
	clear(a.strangers)
	delete(a.said, name)
}

// note notes that the member was met in this life.
func (a *encounters) note(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.met == nil {
		a.met = make(map[string]bool)
	}
	a.met[name] = true
}

// has tells whether the node was met in this life.
func (a *encounters) has(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.met[name]
}

// turnAway notes why a member does not take this new node for the member of its name.
func (a *encounters) turnAway(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turned = reason
}

// metStranger notes a member that belongs to another cluster.
func (a *encounters) metStranger(name, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.strangers == nil {
		a.strangers = make(map[string]string)
	}
	a.strangers[name] = reason
}

// wasEmptied notes that the directory is empty although its cluster exists.
func (a *encounters) wasEmptied(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.emptied = reason
}

// waitFor notes why a first member has not answered; an empty reason, that it has.
func (a *encounters) waitFor(name, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if reason == "" {
		delete(a.waiting, name)
		return
	}
	if a.waiting == nil {
		a.waiting = make(map[string]string)
	}
	a.waiting[name] = reason
}

// news tells whether that was not the last that was logged about the node.
func (a *encounters) news(name, reason string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said[name] == reason {
		return false
	}
	if a.said == nil {
		a.said = make(map[string]string)
	}
	a.said[name] = reason
	return true
}

// look returns why the node must not serve, or what it waits for. Empty reasons are none.
func (a *encounters) look() (emptied, astray, waiting string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.own && len(a.strangers) > 0 {
		astray = a.strangers[slices.Min(slices.Collect(maps.Keys(a.strangers)))]
	}
	if len(a.waiting) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(a.waiting)))
		waiting = fmt.Sprintf("the cluster is not founded yet: %d of the first members have not answered, among them %s: %s",
			len(a.waiting), first, a.waiting[first])
	}
	return a.emptied, astray, cmp.Or(waiting, a.turned)
}

// belongs returns an error for a request that this node must not serve: a node of another
// cluster has forwarded it, or this node is not sure of its own.
func (n *Node) belongs(r *http.Request) error {
	from, err := n.forwarderOf(r)
	if err != nil || aboutHealth(r) {
		return err
	}
	own, cluster := n.identity.get(), r.Header.Get(headerCluster)
	if from != "" && cluster != own.Cluster {
		return refuse(http.StatusMisdirectedRequest, CodeWrongCluster, "%s forwarded a request to %v; nothing was changed",
			memberName(from, cluster), own)
	}
	emptied, astray, _ := n.encounters.look()
	for _, reason := range []string{emptied, astray} {
		if reason != "" {
			return unavailable(CodeWrongCluster, "%s; nothing was changed", reason)
		}
	}
	return nil
}
