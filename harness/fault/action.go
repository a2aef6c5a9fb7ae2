package fault

import "fmt"

// Action is what a link does with a message.
type Action int

const (
	// Pass delivers every message.
	Pass Action = iota
	// Drop discards every message silently, as a network that loses every packet.
	Drop
	// Refuse resets the connections that use the link, and fails new ones at once.
	Refuse
)

func (a Action) String() string {
	switch a {
	case Pass:
		return "pass"
	case Drop:
		return "drop"
	case Refuse:
		return "refuse"
	}
	return fmt.Sprintf("action %d", int(a))
}

// MarshalText returns the action's name.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the name of an action. The error names all of them.
func (a *Action) UnmarshalText(text []byte) error {
	for _, action := range []Action{Pass, Drop, Refuse} {
		if action.String() == string(text) {
			*a = action
			return nil
		}
	}
	return fmt.Errorf("unknown action %q: it is pass, drop or refuse", text)
}
