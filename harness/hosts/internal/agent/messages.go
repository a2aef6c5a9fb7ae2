package agent

import (
	"encoding/json"
	"net/netip"
	"syscall"
)

// variable is the environment variable that makes this program an agent.
const variable = "REJOIN_HOST_AGENT"

// Spec says what host an agent makes.
type Spec struct {
	Name   string
	Addr   netip.Prefix // its address, and the network in which the other hosts are
	Hosts  string       // the file that is /etc/hosts on the host; it may grow
	Packet bool         // make a veth pair and a packet socket, also where a TUN device is possible
}

// Made is what an agent has made.
type Made struct {
	// Kind is the kind of network device whose descriptor comes with the answer.
	Kind string
	// Missing says what the system did not allow, in words. The host works without it.
	Missing []string
}

// Program is a program to start.
type Program struct {
	Path  string   // of the executable file, absolute
	Args  []string // with the name
	Env   []string
	Dir   string
	Input bool // the first of its own files is its standard input, which is empty otherwise
	// Ordinary makes it a user that is not root.
	Ordinary bool
}

// message is a request, its answer, or a report of an exit. An exit has no ID.
type message struct {
	ID    uint64          `json:",omitempty"`
	Op    string          `json:",omitempty"`
	Body  json.RawMessage `json:",omitempty"`
	Files int             `json:",omitempty"` // how many descriptors come with it
	Error *Failure        `json:",omitempty"`
}

// Names of the operations of every agent.
const (
	opMake   = "make the host"
	opStart  = "start a program"
	opSignal = "send a signal"
	opFreeze = "freeze"
	opThaw   = "thaw"
	opKill   = "kill"
	opSocket = "open a socket"
	opList   = "list its processes"
	opExit   = "exit" // from the agent
)

type started struct{ PID int }

type signalled struct {
	PID    int
	Signal syscall.Signal
}

type exited struct {
	PID    int
	Status uint32 // as wait4 returns it
}

// Failure is an error that happened on the host.
type Failure struct {
	Text  string
	Errno syscall.Errno `json:",omitempty"`
}

func (f *Failure) Error() string { return f.Text }

// Unwrap returns the system's error, or nil.
func (f *Failure) Unwrap() error {
	if f.Errno == 0 {
		return nil
	}
	return f.Errno
}
