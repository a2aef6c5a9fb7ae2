package proc

import (
	"fmt"
	"maps"
	"strings"
	"text/template"
)

// View is a node as templates see it.
type View struct {
	Peer
	// Dir is the node's folder, which lasts.
	Dir string
	// Nodes are the members, and Others those but the node itself.
	Nodes, Others []Peer
	// Bootstrap is true for the first node of a new cluster at its first start; Joining for a node that is added to a
	// cluster, or comes back with an empty disk, at its first start; Learner for one that is added without a vote.
	Bootstrap, Joining, Learner bool
	// Forming is true while the nodes of a new cluster start: the others are there, or will be soon.
	Forming bool
	// First is true for every node at its first start on an empty disk.
	First bool
	// Version is the name of the version that the node runs, and Vars are Database.Vars with those of the version.
	Version string
	Vars    map[string]string
}

// Peer is a node as others know it.
type Peer struct {
	Name  string // n0, n1, …
	Host  string // its address, without a port; its name resolves to it on all hosts
	Index int
}

// functions are what templates may call besides what text/template has.
func functions() template.FuncMap {
	return template.FuncMap{"join": join, "add": func(a, b int) int { return a + b }}
}

// join fills a template for each peer, and puts a separator between.
func join(peers []Peer, text, separator string) (string, error) {
	filled := make([]string, len(peers))
	for i, p := range peers {
		var err error
		if filled[i], err = fill(text, p); err != nil {
			return "", err
		}
	}
	return strings.Join(filled, separator), nil
}

// fill fills a template.
func fill(text string, data any) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("template").Funcs(functions()).Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("the template %q cannot be read: %w", text, err)
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return "", fmt.Errorf("the template %q cannot be filled: %w", text, err)
	}
	return out.String(), nil
}

// fillAll fills templates, and leaves out those that become empty.
func fillAll(texts []string, data any) ([]string, error) {
	var all []string
	for _, text := range texts {
		filled, err := fill(text, data)
		if err != nil {
			return nil, err
		}
		if filled != "" || text == "" {
			all = append(all, filled)
		}
	}
	return all, nil
}

// view is how templates see the node now.
func (n *node) view() View {
	c := n.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	v := View{
		Peer: n.peer, Dir: n.host.Dir(), Bootstrap: n.bootstrap, Joining: n.joining, Learner: n.learner,
		Forming: n.forming, First: !n.prepared && n.kept == "",
		Version: n.version, Vars: maps.Clone(c.database.Vars),
	}
	if v.Vars == nil {
		v.Vars = make(map[string]string)
	}
	for _, version := range c.database.Versions {
		if version.Name == n.version {
			maps.Copy(v.Vars, version.Vars)
		}
	}
	for _, other := range c.nodes {
		if other.removed {
			continue
		}
		v.Nodes = append(v.Nodes, other.peer)
		if other != n {
			v.Others = append(v.Others, other.peer)
		}
	}
	return v
}
