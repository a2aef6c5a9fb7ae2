package network

import "fmt"

// Mode is what a link does with what is sent over it.
type Mode int

const (
	// Up passes everything on.
	Up Mode = iota
	// Drop passes nothing on and says nothing, as a network that loses every packet.
	Drop
	// Refuse resets the connections that use the link, and fails new ones at once.
	Refuse
)

func (m Mode) String() string {
	switch m {
	case Up:
		return "up"
	case Drop:
		return "drop"
	case Refuse:
		return "refuse"
	}
	return fmt.Sprintf("mode %d", int(m))
}
