package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// Schedule is what is done to a cluster, and what its clients do meanwhile. It is plain data: the same
// schedule makes the same trouble.
type Schedule struct {
	// Seed is the seed of the cluster's and the clients' choices.
	Seed  uint64 `json:"seed"`
	Nodes int    `json:"nodes"`
	// Pace is the election timeout of the nodes; the target's own if 0, or if the target has only one.
	Pace time.Duration `json:"pace_ns"`
	// Workloads are the names of the workloads. Each runs with that many Clients, and each client
	// invokes Rate operations a second.
	Workloads []string `json:"workloads"`
	Clients   int      `json:"clients"`
	Rate      float64  `json:"rate"`
	// Most bounds the operations of each workload; 0 is no bound.
	Most int `json:"most,omitempty"`
	// Length is how long faults are injected, by the cluster's clock.
	Length time.Duration `json:"length_ns"`
	Faults []Entry       `json:"faults"`
}

// Entry is a fault of a schedule. Count says when a fault is not made.
type Entry struct {
	At    time.Duration `json:"at_ns"`    // when it begins, from the beginning of the schedule
	Lasts time.Duration `json:"lasts_ns"` // it is undone after that, at the latest when the schedule ends
	fault.Fault
}

// UnmarshalJSON reads an entry. It takes the field "other", which named the second end of a link before
// links had a field of their own.
func (e *Entry) UnmarshalJSON(text []byte) error {
	type plain Entry
	var read struct {
		plain
		Other *int `json:"other"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*e = Entry(read.plain)
	if k, err := nemesis.Find(e.Kind); err == nil && read.Other != nil {
		e.Links = k.LinksFrom(fault.Link{From: e.Node, To: *read.Other})
	}
	return nil
}

// Validate returns why the schedule cannot be run, or nil.
func (s Schedule) Validate() error {
	var errs []error
	if s.Nodes < 1 {
		errs = append(errs, fmt.Errorf("cluster size %d: must be at least 1", s.Nodes))
	}
	if len(s.Workloads) == 0 || s.Clients < 1 {
		errs = append(errs, errors.New("no workloads or no clients"))
	}
	if s.Rate < 0 || s.Most < 0 || s.Pace < 0 {
		errs = append(errs, fmt.Errorf("rate %v, most %d and pace %v must not be negative", s.Rate, s.Most, s.Pace))
	}
	if s.Length <= 0 {
		errs = append(errs, fmt.Errorf("length %v must be positive", s.Length))
	}
	for i, e := range s.Faults {
		if err := e.validate(s); err != nil {
			errs = append(errs, fmt.Errorf("fault %d (%v): %w", i, e, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("invalid schedule: %w", err)
	}
	return nil
}

func (e Entry) validate(s Schedule) error {
	switch {
	case e.At < 0 || e.At > s.Length:
		return fmt.Errorf("it begins at %v, in a schedule of %v", e.At, s.Length)
	case e.Lasts < 0:
		return fmt.Errorf("duration %v must not be negative", e.Lasts)
	}
	k, err := nemesis.Find(e.Kind)
	if err != nil {
		return err
	}
	return k.Validate(e.Fault, s.Nodes)
}

// String is the entry as one line.
func (e Entry) String() string {
	return fmt.Sprintf("%v for %v: %s", e.At, e.Lasts, nemesis.Describe(e.Fault))
}

// String is the schedule in words, one line for each fault.
func (s Schedule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d nodes at pace %v, %s by %d clients each, %g operations a second",
		s.Seed, s.Nodes, s.Pace, strings.Join(s.Workloads, " and "), s.Clients, s.Rate)
	if s.Most > 0 {
		fmt.Fprintf(&b, ", at most %d", s.Most)
	}
	fmt.Fprintf(&b, ", %v long, %d faults", s.Length, len(s.Faults))
	for _, e := range s.Faults {
		b.WriteString("\n  " + e.String())
	}
	return b.String()
}

// deadline is that of each operation. It is longer than an election, so that few operations end with an
// unknown outcome.
func (s Schedule) deadline() time.Duration { return max(5*time.Second, 4*s.Pace) }
