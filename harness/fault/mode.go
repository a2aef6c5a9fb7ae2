package fault

// Mode is how a node is lost: its failure mode.
type Mode string

// The failure modes.
const (
	Isolate Mode = "isolate" // all its links are cut, to nodes and clients; it keeps running, alone
	Stop    Mode = "stop"    // it shuts down gracefully: it hands leadership over, and closes
	Crash   Mode = "crash"   // it ends between two instructions, and loses what it had not synced
	Pause   Mode = "pause"   // it is frozen, with its sockets open
)

// Modes returns all failure modes.
func Modes() []Mode { return []Mode{Isolate, Stop, Crash, Pause} }

// Past describes a node that was lost this way, such as "crashed".
func (m Mode) Past() string {
	switch m {
	case Isolate:
		return "isolated"
	case Stop:
		return "stopped"
	case Crash:
		return "crashed"
	case Pause:
		return "paused"
	}
	return string(m)
}
