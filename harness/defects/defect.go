package defects

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Defect is one planted bug. It is immutable and safe for concurrent use.
type Defect struct {
	Name string // in settings: cluster.defect, REJOIN_DEFECT
	Kind string // heading in the catalogue
	Text string // what it does wrong, as a sentence
	// About is a Ginkgo label filter that selects the specs about what it breaks. At least one of them must catch
	// it.
	About string
	// Between is true for a race between two goroutines of a node, in a window in which no goroutine blocks. Only a
	// schedule in which goroutines yield at locks, channels and pools (cluster.interleave and cluster.yield) exposes
	// it.
	Between bool

	seams  func(embedded.Life) embedded.Seams
	target func(target.Target) (target.Target, error)
	// route wraps the choice of nodes, comparer replaces their comparison, and watch wraps the
	// tracking of promises.
	route    func(harness.Router) harness.Router
	comparer harness.Comparer
	watch    func(harness.Promises) harness.Promises
}

// None is the absence of a defect.
var None = Defect{}

// All returns all defects, grouped by kind.
func All() []Defect {
	return slices.Concat(catchingUp(), largeRows(), restart(), lostLog(), identities(), strangers(), membership(),
		snapshot(), restored(), reads(), freshness(), writes(), keys(), costs(), values(), answers(), namespaces(), names(), cluster(),
		departures(), upstream(), oracles(), interleavings())
}

// Names returns the names of all defects, in the order of All.
func Names() []string {
	var names []string
	for _, d := range All() {
		names = append(names, d.Name)
	}
	return names
}

// Find returns the defect of that name; None if name is empty. The error lists the names.
func Find(name string) (Defect, error) {
	if name == "" {
		return None, nil
	}
	for _, d := range All() {
		if d.Name == name {
			return d, nil
		}
	}
	return None, fmt.Errorf("there is no defect %q: there are %s", name, strings.Join(Names(), ", "))
}

// Plant returns the target with the defect in it, or t itself for a defect of the harness (see Options). It returns
// an error if the target does not support the defect.
func (d Defect) Plant(t target.Target) (planted target.Target, err error) {
	switch {
	case d.seams != nil:
		planted, err = plantSeams(t, d.seams)
	case d.target != nil:
		planted, err = d.target(t)
	default:
		planted = t
	}
	if err != nil {
		return nil, fmt.Errorf("plant %s: %w", d.Name, err)
	}
	return planted, nil
}

// seamed is a target whose nodes have seams.
type seamed interface {
	Seamed(seams func(embedded.Life) embedded.Seams) target.Target
}

func plantSeams(t target.Target, seams func(embedded.Life) embedded.Seams) (target.Target, error) {
	nodes, can := t.(seamed)
	if !can {
		return nil, fmt.Errorf("a %T gives no access to the parts of its nodes", t)
	}
	return nodes.Seamed(seams), nil
}

// Options returns the options that plant a defect of the harness; none for other defects.
func (d Defect) Options() []harness.Option {
	var options []harness.Option
	if d.route != nil {
		options = append(options, harness.Routing(d.route))
	}
	if d.comparer != nil {
		options = append(options, harness.Comparing(d.comparer))
	}
	if d.watch != nil {
		options = append(options, harness.Watching(d.watch))
	}
	return options
}
