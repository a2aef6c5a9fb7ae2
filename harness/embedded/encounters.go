package embedded

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
)

// headerCluster is the cluster of the node that forwards a request. Nodes of other clusters refuse
// the request.
const headerCluster = "Rejoin-Cluster"

// encounters records what a node has learned about the other nodes in this life. It is safe for
// concurrent use.
type encounters struct {
	mu        sync.Mutex
	own       bool              // met a member of its own cluster
	met       map[string]bool   // members that were met
	strangers map[string]string // members that belong to another cluster, with the reason
	emptied   string            // why this directory should belong to a cluster but does not
	turned    string            // why a member refused this new node
	waiting   map[string]string // first members that have not answered yet, with the reason
	said      map[string]string // the last message that was logged about each node
}

// metOwn records that a node of the same cluster was met.
func (a *encounters) metOwn(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own, a.emptied, a.turned = true, "", ""
	clear(a.strangers)
	delete(a.said, name)
}

// note records that the member was met in this life.
func (a *encounters) note(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.met == nil {
		a.met = make(map[string]bool)
	}
	a.met[name] = true
}

// has returns whether the node was met in this life.
func (a *encounters) has(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.met[name]
}

// turnAway records why a member refused this new node.
func (a *encounters) turnAway(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turned = reason
}

// metStranger records a member that belongs to another cluster.
func (a *encounters) metStranger(name, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.strangers == nil {
		a.strangers = make(map[string]string)
	}
	a.strangers[name] = reason
}

// wasEmptied records that the directory is empty although its cluster exists.
func (a *encounters) wasEmptied(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.emptied = reason
}

// waitFor records why a first member has not answered; an empty reason means that it has.
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

// news returns whether reason differs from the last one that was logged about the node.
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

// look returns why the node must not serve requests, or what it waits for. An empty string means no
// reason.
func (a *encounters) look() (emptied, astray, waiting string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.own && len(a.strangers) > 0 {
		astray = a.strangers[slices.Min(slices.Collect(maps.Keys(a.strangers)))]
	}
	if len(a.waiting) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(a.waiting)))
		waiting = fmt.Sprintf("the cluster has not formed yet: %d of the first members have not answered, including %s: %s",
			len(a.waiting), first, a.waiting[first])
	}
	return a.emptied, astray, cmp.Or(waiting, a.turned)
}

// belongs returns an error for a request that this node must not serve: a node of another cluster
// forwarded it, or this node has met only members of another cluster.
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
