package wiring

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/network"
)

// Link is the way from one host to another.
type Link struct{ From, To string }

// Change is what a link is from now on.
type Change struct {
	Link
	Rule network.Rule
}

// Wiring is the wanted state of all links between nodes, and between nodes and
// the place of the clients. Links are sound at first. It is not safe for
// concurrent use: a caller must see to it that changes are made in their order.
type Wiring struct {
	clients  string
	nodes    []string // as they came
	rules    map[Link]network.Rule
	isolated map[string]bool
}

// New is a wiring without nodes; clients names the place of the clients.
func New(clients string) *Wiring {
	return &Wiring{clients: clients, rules: make(map[Link]network.Rule), isolated: make(map[string]bool)}
}

// Add takes a new node in and returns which of its links are cut from the start:
// those to nodes that are isolated. A name is used once.
func (w *Wiring) Add(node string) ([]Change, error) {
	if w.known(node) {
		return nil, fmt.Errorf("there is a host %q already", node)
	}
	w.nodes = append(w.nodes, node)
	return w.Of(node), nil
}

// Forget takes out a node that is gone for good, with the rules of its links.
func (w *Wiring) Forget(node string) {
	w.nodes = slices.DeleteFunc(w.nodes, func(name string) bool { return name == node })
	delete(w.isolated, node)
	for link := range w.rules {
		if link.From == node || link.To == node {
			delete(w.rules, link)
		}
	}
}

// SetRule sets the rule of a link, and returns the link whether or not it is
// another one now: to be set anew may mean something to a network. What isolation
// cuts stays cut, and follows the rule when it is over. The link of a host to itself has no rule.
func (w *Wiring) SetRule(from, to string, rule network.Rule) ([]Change, error) {
	err := rule.Validate()
	switch {
	case !w.known(from):
		err = fmt.Errorf("there is no host %q", from)
	case !w.known(to):
		err = fmt.Errorf("there is no host %q", to)
	case from == to:
		err = fmt.Errorf("a host always reaches itself")
	}
	if err != nil {
		return nil, fmt.Errorf("set the link from %s to %s: %w", from, to, err)
	}
	w.rules[Link{from, to}] = rule
	return []Change{{Link{from, to}, w.Effective(Link{from, to})}}, nil
}

// SetIsolated cuts all links of a node, or gives them back to their rules, but
// for those to nodes that are isolated themselves.
func (w *Wiring) SetIsolated(node string, isolated bool) ([]Change, error) {
	if node == w.clients || !w.known(node) {
		return nil, fmt.Errorf("isolate %s: there is no such node", node)
	}
	return w.change(w.links(node), func() { w.isolated[node] = isolated }), nil
}

// change makes a change and returns those of the links that it made different.
func (w *Wiring) change(links []Link, change func()) []Change {
	before := make([]network.Rule, len(links))
	for i, link := range links {
		before[i] = w.Effective(link)
	}
	change()
	var changed []Change
	for i, link := range links {
		if now := w.Effective(link); now != before[i] {
			changed = append(changed, Change{link, now})
		}
	}
	return changed
}

// Effective is what the link is to be: its rule, with nothing passing while one
// of its ends is isolated. Between nodes there is silence then, as in a network
// that loses everything; clients are refused at once, so that none of them hangs.
func (w *Wiring) Effective(link Link) network.Rule {
	rule := w.rules[link]
	switch {
	case link.From == link.To || !w.isolated[link.From] && !w.isolated[link.To]:
	case link.From == w.clients || link.To == w.clients:
		rule.Mode = network.Refuse
	default:
		rule.Mode = network.Drop
	}
	return rule
}

// Of is every link from and to the host that is not sound.
func (w *Wiring) Of(host string) []Change {
	var changes []Change
	for _, link := range w.links(host) {
		if rule := w.Effective(link); rule != (network.Rule{}) {
			changes = append(changes, Change{link, rule})
		}
	}
	return changes
}

// links are all links from and to the host, in the order in which nodes came.
func (w *Wiring) links(host string) []Link {
	var links []Link
	for _, other := range append(slices.Clone(w.nodes), w.clients) {
		if other != host {
			links = append(links, Link{host, other}, Link{other, host})
		}
	}
	return links
}

func (w *Wiring) known(host string) bool {
	return host == w.clients || slices.Contains(w.nodes, host)
}
