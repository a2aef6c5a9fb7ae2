package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Validate returns an error that says what is wrong with the event and what is allowed, or nil. Load
// and package check refuse events that are not valid.
func (e Event) Validate() error {
	switch {
	case e.Kind == "":
		return errors.New("the event has no kind")
	case !slices.Contains(Kinds(), e.Kind):
		return unknown("kind of event", e.Kind, Kinds())
	case e.At.IsZero():
		return fmt.Errorf("the %s has no time", e.Kind)
	case e.Took < 0:
		return fmt.Errorf("the %s took %v", e.Kind, e.Took)
	case e.Kind == Operation && e.Op == nil:
		return errors.New(`the operation has no "op"`)
	case e.Kind != Operation && e.Op != nil:
		return fmt.Errorf(`the %s has an "op", which only an operation has`, e.Kind)
	case e.Fault != nil && e.Kind != Fault:
		return fmt.Errorf(`the %s has a "fault", which only a fault has`, e.Kind)
	case e.Fault != nil && !slices.Contains(phases, e.Fault.Phase):
		return unknown("phase of a fault", e.Fault.Phase, phases)
	case (e.To != nil) != (e.Kind == Message):
		return fmt.Errorf(`the %s is a message without "to", or has a "to", which only a message has`, e.Kind)
	case e.Differs != nil && e.Kind != Check:
		return fmt.Errorf(`the %s has "differs", which only a check has`, e.Kind)
	case e.Op == nil:
		return nil
	}
	return e.Op.Validate()
}

var phases = []Phase{Begins, Ends, Once}

// verbs has the steps of each model.
var verbs = map[Model][]Do{
	Register:  {Read, Write, CAS},
	Registers: {Read, Write},
	Set:       {Read, Add, Remove},
	List:      {Read, Append},
	Bank:      {Read, Increment, Write},
	Counter:   {Read, Increment},
	Unique:    {Read, Insert},
}

// Models returns all models, in order.
func Models() []Model {
	return []Model{Register, Registers, Set, List, Bank, Counter, Unique}
}

// Validate returns an error that says what is wrong with the operation and what is allowed, or nil.
func (o Op) Validate() error {
	outcomes, levels := []Outcome{OK, Failed, Unknown}, []Level{Local, Leader, Strong}
	switch {
	case !slices.Contains(outcomes, o.Outcome):
		return unknown("outcome", o.Outcome, outcomes)
	case o.Level != "" && !slices.Contains(levels, o.Level):
		return unknown("level", o.Level, levels)
	case o.Model == "" && len(o.Steps) > 0:
		return fmt.Errorf("the operation has steps and no model: it is one of %s", list(Models()))
	case o.Model != "" && verbs[o.Model] == nil:
		return unknown("model", o.Model, Models())
	case o.Model != "" && len(o.Steps) == 0:
		return fmt.Errorf("the operation on a %s has no steps", o.Model)
	case o.Unread && o.Outcome != OK:
		return fmt.Errorf("the operation is unread and %s: only one that is %s can be unread", o.Outcome, OK)
	}
	for i, s := range o.Steps {
		if err := o.validateStep(s); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		if o.Model == Register && s.Key != o.Steps[0].Key && !(o.Final && !o.Changes()) {
			return fmt.Errorf("step %d: an operation on a %s is about one key unless it is a final read, and this one is about %q and %q",
				i+1, o.Model, o.Steps[0].Key, s.Key)
		}
	}
	return nil
}

func (o Op) validateStep(s Step) error {
	switch {
	case !slices.Contains(verbs[o.Model], s.Do):
		return unknown("step of a "+string(o.Model), s.Do, verbs[o.Model])
	case s.Key == "":
		return errors.New("the step has no key")
	case s.Got != nil && !s.Answers():
		return fmt.Errorf(`"got" is given for %s, which reads nothing`, s.Do)
	case s.Got == nil && s.Answers() && o.Outcome == OK && !o.Unread:
		return fmt.Errorf(`"got" is missing, and the %s is %s: if its answer was lost, the operation is "unread"`, s.Do, OK)
	case s.Got == nil:
		return nil
	}
	switch {
	case s.Do == CAS && (len(s.Got) != 1 || s.Got[0] != 0 && s.Got[0] != 1):
		return fmt.Errorf(`"got" of a %s is [1] if it matched and [0] if not, and not %v`, CAS, s.Got)
	case s.Do == Read && (o.Model == Register || o.Model == Registers) && len(s.Got) > 1:
		return fmt.Errorf(`"got" of a %s has one value or none, and not %v`, o.Model, s.Got)
	case s.Do == Read && (o.Model == Bank || o.Model == Counter) && len(s.Got) > 1:
		return fmt.Errorf(`"got" of a %s has one number or none, and not %v`, o.Model, s.Got)
	}
	return nil
}

func unknown[T ~string](what string, is T, allowed []T) error {
	return fmt.Errorf("%q is no %s: it is one of %s", string(is), what, list(allowed))
}

func list[T ~string](allowed []T) string {
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	return strings.Join(words, ", ")
}
