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

	seams  func(embedded.Life) embedded.Seams
	target func(target.Target) target.Target
	router harness.Router
}

// None is no defect.
var None = Defect{}

// All are the defects, kind by kind.
func All() []Defect {
	return slices.Concat(catchingUp(), restart(), snapshot(), reads(), writes(), values(), cluster())
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

// Seams are for the nodes' configuration; nil if the defect is not in the nodes.
func (d Defect) Seams() func(embedded.Life) embedded.Seams { return d.seams }

// Plant puts the defect into a target, if it is there that it belongs.
func (d Defect) Plant(t target.Target) target.Target {
	if d.target == nil {
		return t
	}
	return d.target(t)
}

// Options put the defect into the harness, if it is there that it belongs.
func (d Defect) Options() []harness.Option {
	if d.router == nil {
		return nil
	}
	return []harness.Option{harness.Routing(d.router)}
}
