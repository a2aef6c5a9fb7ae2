package linkstate

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// Change is what a link is from now on.
type Change struct {
	network.Link
	Rule fault.Rule
}

// Links is the wanted state of all links between nodes, and between nodes and
// the place of the clients. Links are sound at first. It is not safe for
// concurrent use: a caller must see to it that changes are made in their order.
type Links struct {
	// Packets tells whether the links carry packets: see fault.Rule.Packets.
	Packets bool

	clients  string
	nodes    []string // as they came
	rules    map[network.Link]fault.Rule
	isolated map[string]bool
}

// New returns the state of no links yet; clients names the place of the clients.
func New(clients string) *Links {
	return &Links{clients: clients, rules: make(map[network.Link]fault.Rule), isolated: make(map[string]bool)}
}

// Add takes a new node in and returns which of its links are cut from the start:
// those to nodes that are isolated. A name is used once.
func (s *Links) Add(node string) ([]Change, error) {
	if s.known(node) {
		return nil, fmt.Errorf("there is a host %q already", node)
	}
	s.nodes = append(s.nodes, node)
	return s.Of(node), nil
}

// Forget takes out a node that is gone for good, with the rules of its links.
func (s *Links) Forget(node string) {
	s.nodes = slices.DeleteFunc(s.nodes, func(name string) bool { return name == node })
	delete(s.isolated, node)
	for link := range s.rules {
		if link.From == node || link.To == node {
			delete(s.rules, link)
		}
	}
}

// SetRule sets the rule of a link, and returns the link whether or not it is
// another one now: to be set anew may mean something to a network. What isolation
// cuts stays cut, and follows the rule when it is over. The link of a host to itself has no rule.
func (s *Links) SetRule(from, to string, rule fault.Rule) ([]Change, error) {
	err := rule.Validate()
	switch {
	case !s.known(from):
		err = fmt.Errorf("there is no host %q", from)
	case !s.known(to):
		err = fmt.Errorf("there is no host %q", to)
	case rule.Packets() && !s.Packets:
		err = fault.ErrPackets
	case from == to:
		err = fmt.Errorf("a host always reaches itself")
	}
	if err != nil {
		return nil, fmt.Errorf("set the link from %s to %s: %w", from, to, err)
	}
	s.rules[network.Link{From: from, To: to}] = rule
	return []Change{{network.Link{From: from, To: to}, s.Effective(network.Link{From: from, To: to})}}, nil
}

// SetIsolated cuts all links of a node, or gives them back to their rules, but
// for those to nodes that are isolated themselves.
func (s *Links) SetIsolated(node string, isolated bool) ([]Change, error) {
	if node == s.clients || !s.known(node) {
		return nil, fmt.Errorf("isolate %s: there is no such node", node)
	}
	return s.change(s.links(node), func() { s.isolated[node] = isolated }), nil
}

// change makes a change and returns those of the links that it made different.
func (s *Links) change(links []network.Link, change func()) []Change {
	before := make([]fault.Rule, len(links))
	for i, link := range links {
		before[i] = s.Effective(link)
	}
	change()
	var changed []Change
	for i, link := range links {
		if now := s.Effective(link); now != before[i] {
			changed = append(changed, Change{link, now})
		}
	}
	return changed
}

// Effective is what the link is to be: its rule, with nothing passing while one
// of its ends is isolated. Between nodes there is silence then, as in a network
// that loses everything; clients are refused at once, so that none of them hangs.
func (s *Links) Effective(link network.Link) fault.Rule {
	rule := s.rules[link]
	switch {
	case link.From == link.To || !s.isolated[link.From] && !s.isolated[link.To]:
	case link.From == s.clients || link.To == s.clients:
		rule.Action = fault.Refuse
	default:
		rule.Action = fault.Drop
	}
	return rule
}

// Of is every link from and to the host that is not sound.
func (s *Links) Of(host string) []Change {
	var changes []Change
	for _, link := range s.links(host) {
		if rule := s.Effective(link); rule != (fault.Rule{}) {
			changes = append(changes, Change{link, rule})
		}
	}
	return changes
}

// links are all links from and to the host, in the order in which nodes came.
func (s *Links) links(host string) []network.Link {
	var links []network.Link
	for _, other := range append(slices.Clone(s.nodes), s.clients) {
		if other != host {
			links = append(links, network.Link{From: host, To: other}, network.Link{From: other, To: host})
		}
	}
	return links
}

func (s *Links) known(host string) bool {
	return host == s.clients || slices.Contains(s.nodes, host)
}
