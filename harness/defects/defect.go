package defects

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Defect is one planted bug.
type Defect struct {
	Name string // as a setting names it
	Kind string
	Text string // what it does wrong, in a sentence
	// About says which specs are about what it breaks, as a label filter of Ginkgo. One of
	// them at least must catch it.
	About string
	// Between says that it is between two goroutines of a node, in a window in which none
	// waits: only an order of goroutines finds it in which they yield at locks, channels and
	// pools (cluster.interleave and cluster.yield).
	Between bool

	seams  func(embedded.Life) embedded.Seams
	target func(target.Target) (target.Target, error)
	// route chooses nodes, comparer compares them, and watch watches promises, in place of the harness.
	route    func(harness.Router) harness.Router
	comparer harness.Comparer
	watch    func(harness.Promises) harness.Promises
}

// None is no defect.
var None = Defect{}

// All are the defects, kind by kind.
func All() []Defect {
	return slices.Concat(catchingUp(), largeRows(), restart(), lostLog(), identities(), strangers(), membership(),
		snapshot(), restored(), reads(), freshness(), writes(), keys(), costs(), values(), answers(), namespaces(), names(), cluster(),
		departures(), oracles(), interleavings())
}

// Names are the names of all.
func Names() []string {
	var names []string
	for _, d := range All() {
		names = append(names, d.Name)
	}
	return names
}

// Find is the defect of that name; None if the name is empty.
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

// Plant returns the target with the defect in it; the target itself for a defect of the
// harness. It is an error if the defect cannot be in this target.
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

// seamed is a target of embedded nodes.
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

// Options put the defect into the harness, if it is there that it belongs.
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
