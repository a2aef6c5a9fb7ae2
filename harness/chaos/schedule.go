package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Schedule is what is done to a cluster, and what its clients do meanwhile. It is
// plain data: the same schedule is the same trouble.
type Schedule struct {
	// Seed is where the cluster's and the clients' choices come from.
	Seed  uint64 `json:"seed"`
	Nodes int    `json:"nodes"`
	// Pace is how long a node waits for a leader before it stands for election; the
	// target's own if 0, or if the target has but one.
	Pace time.Duration `json:"pace_ns"`
	// Workloads are the names of those that run, each by so many clients, each of
	// which invokes Rate operations a second.
	Workloads []string `json:"workloads"`
	Clients   int      `json:"clients"`
	Rate      float64  `json:"rate"`
	// Most bounds the operations of each workload; 0 is no bound.
	Most int `json:"most,omitempty"`
	// Length is how long trouble is made, by the cluster's clock.
	Length time.Duration `json:"length_ns"`
	Faults []Fault       `json:"faults"`
}

// Fault is one thing that goes wrong. Count says when one is left out.
type Fault struct {
	At    time.Duration `json:"at_ns"`    // since trouble began
	Lasts time.Duration `json:"lasts_ns"` // then it is undone; at the latest when trouble ends
	Kind  Kind          `json:"kind"`
	Node  int           `json:"node"`  // index
	Other int           `json:"other"` // index, or fault.Clients; of links only
	By    time.Duration `json:"by_ns"` // how much, of links, disks and clocks
}

// Validate returns why the schedule cannot be run, or nil.
func (s Schedule) Validate() error {
	var errs []error
	if s.Nodes < 1 {
		errs = append(errs, fmt.Errorf("it has %d nodes", s.Nodes))
	}
	if len(s.Workloads) == 0 || s.Clients < 1 {
		errs = append(errs, errors.New("it has nobody who does anything"))
	}
	if s.Rate < 0 || s.Most < 0 || s.Pace < 0 || s.Length <= 0 {
		errs = append(errs, fmt.Errorf("rate %v, most %d and pace %v are not to be negative, and length %v is to be positive", s.Rate, s.Most, s.Pace, s.Length))
	}
	for i, f := range s.Faults {
		if err := f.validate(s); err != nil {
			errs = append(errs, fmt.Errorf("fault %d (%v): %w", i, f, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the schedule cannot be run: %w", err)
	}
	return nil
}

func (f Fault) validate(s Schedule) error {
	switch {
	case !slices.Contains(Kinds(), f.Kind):
		return fmt.Errorf("there is no kind %q", string(f.Kind))
	case f.At < 0 || f.At > s.Length:
		return fmt.Errorf("it comes at %v, in a schedule of %v", f.At, s.Length)
	case f.Lasts < 0 || f.By < 0:
		return fmt.Errorf("neither how long it lasts, %v, nor by how much, %v, may be negative", f.Lasts, f.By)
	case (f.Kind == Partition || f.Kind == IsolateLeader) && s.Nodes < 2:
		return errors.New("a single node has no links to others")
	case f.Kind == RemoveNode && s.Nodes < leastToRemove:
		return fmt.Errorf("a cluster of %d nodes cannot do without one", s.Nodes)
	case f.Kind == FlappingLink && f.By < time.Millisecond:
		return fmt.Errorf("no link flaps every %v", f.By)
	case f.Node < 0 || f.Node >= s.Nodes:
		return fmt.Errorf("there is no node %d", f.Node)
	case f.Kind.ofLink() && f.Other != fault.Clients && (f.Other < 0 || f.Other >= s.Nodes || f.Other == f.Node):
		return fmt.Errorf("there is no link from %d to %d", f.Node, f.Other)
	}
	return nil
}

// String is the fault as one line.
func (f Fault) String() string {
	line := fmt.Sprintf("%v for %v: %s", f.At, f.Lasts, f.Kind)
	switch {
	case f.Kind.ofLink() && f.Other == fault.Clients:
		line += fmt.Sprintf(" %d->clients", f.Node)
	case f.Kind.ofLink():
		line += fmt.Sprintf(" %d->%d", f.Node, f.Other)
	case f.Kind != IsolateLeader && f.Kind != AddNode && f.Kind != CrashAll:
		line += fmt.Sprintf(" %d", f.Node)
	}
	if f.Kind.measured() {
		line += fmt.Sprintf(" by %v", f.By)
	}
	return line
}

// measured tells whether By means anything.
func (k Kind) measured() bool {
	return k == SlowLink || k == FlappingLink || k == SlowDisk || k == CrashInstalling || k.ofClock()
}

// String is the schedule in words, a line a fault.
func (s Schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d nodes at pace %v, %s by %d clients each, %g operations a second", s.Seed, s.Nodes, s.Pace, strings.Join(s.Workloads, " and "), s.Clients, s.Rate)
	if s.Most > 0 {
		fmt.Fprintf(&b, ", at most %d", s.Most)
	}
	fmt.Fprintf(&b, ", %v of trouble, %d faults", s.Length, len(s.Faults))
	for _, f := range s.Faults {
		b.WriteString("\n  " + f.String())
	}
	return b.String()
}

// deadline is that of each operation: longer than an election takes, so that few
// end in doubt.
func (s Schedule) deadline() time.Duration { return max(5*time.Second, 4*s.Pace) }
