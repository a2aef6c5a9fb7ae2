package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Faults are the faults in force, besides nodes that are offline. What has no fault is missing.
// Disks and clocks are by the index of their node.
type Faults struct {
	Links    map[fault.Link]fault.Rule
	Resets   map[fault.Link]bool // the links that a reset was armed on since they were last mended
	Flapping []string            // descriptions of the links that flap
	Disks    map[int]fault.Disk
	Clocks   map[int]time.Duration // how far they are ahead
}

func newFaults() Faults {
	return Faults{
		Links: make(map[fault.Link]fault.Rule), Resets: make(map[fault.Link]bool),
		Disks: make(map[int]fault.Disk), Clocks: make(map[int]time.Duration),
	}
}

// Faults returns a copy of the faults in force.
func (c *Cluster) Faults() Faults {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return newFaults()
	}
	f := c.faults
	return Faults{
		Links: maps.Clone(f.Links), Resets: maps.Clone(f.Resets), Flapping: slices.Clone(f.Flapping),
		Disks: maps.Clone(f.Disks), Clocks: maps.Clone(f.Clocks),
	}
}

// Lines describes the faults, one a line.
func (f Faults) Lines() []string {
	var lines []string
	links := slices.Collect(maps.Keys(f.Links))
	slices.SortFunc(links, fault.Link.Compare)
	for _, link := range links {
		lines = append(lines, fmt.Sprintf("link %s: %s", link, f.Links[link]))
	}
	links = slices.Collect(maps.Keys(f.Resets))
	slices.SortFunc(links, fault.Link.Compare)
	for _, link := range links {
		lines = append(lines, fmt.Sprintf("link %s: a message is or was to be cut in half", link))
	}
	lines = append(lines, f.Flapping...)
	for _, i := range slices.Sorted(maps.Keys(f.Disks)) {
		lines = append(lines, fmt.Sprintf("disk of node %d: %s", i, f.Disks[i]))
	}
	for _, i := range slices.Sorted(maps.Keys(f.Clocks)) {
		lines = append(lines, fmt.Sprintf("clock of node %d: %s", i, fault.Skew(f.Clocks[i])))
	}
	return lines
}

func (f *Faults) stopped(flapping string) {
	if i := slices.Index(f.Flapping, flapping); i >= 0 {
		f.Flapping = slices.Delete(f.Flapping, i, i+1)
	}
}

// setOrDelete sets a value, and deletes the zero value.
func setOrDelete[K, V comparable](in map[K]V, key K, value V) {
	var zero V
	if value == zero {
		delete(in, key)
	} else {
		in[key] = value
	}
}

// forget forgets the faults of a node that was removed.
func (c *Cluster) forget(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.faults.Disks, i)
	delete(c.faults.Clocks, i)
	maps.DeleteFunc(c.faults.Links, func(l fault.Link, _ fault.Rule) bool { return l.From == i || l.To == i })
	maps.DeleteFunc(c.faults.Resets, func(l fault.Link, _ bool) bool { return l.From == i || l.To == i })
}

// SetDisk sets the faults of the node's disk, whether or not the node runs. The zero value is a
// healthy disk.
func (c *Cluster) SetDisk(ctx context.Context, i int, faults fault.Disk) error {
	disks, can := target.As[target.DiskFaulter](c.cluster)
	change := fault.Fault{Kind: fault.KindDisk, Node: i, Disk: &faults}
	about := setting{"set disk", phaseOf(faults != fault.Disk{}), change, aboutDisk, target.Disks, can}
	return c.set(ctx, i, about, func(ctx context.Context) error {
		if faults.Lying {
			c.monitor.MayForget(i)
		}
		if err := disks.SetDisk(ctx, i, faults); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		setOrDelete(c.faults.Disks, i, faults)
		return nil
	})
}

// Damage flips one byte of a part of the node's files, whether or not the node runs, and returns
// the file. fault.LogEnd instead removes a part of the log of a node that does not run. Only a
// new disk repairs the damage: see Wiped.
func (c *Cluster) Damage(ctx context.Context, i int, part fault.Part) (file string, err error) {
	disks, can := target.As[target.DiskFaulter](c.cluster)
	change := fault.Fault{Kind: fault.KindDamage, Node: i, Part: part}
	about := setting{"damage", journal.Begins, change, aboutDamage + string(part), target.Disks, can}
	err = c.set(ctx, i, about, func(ctx context.Context) (err error) {
		if err = part.Validate(); err == nil {
			file, err = disks.Damage(ctx, i, part)
		}
		if err == nil && part == fault.Everything {
			c.monitor.MayForget(i)
		}
		return err
	})
	return file, err
}

// SetClock sets how far the node's clock is ahead of the true time; behind if negative, and
// correct if 0. A clock that is set again jumps.
func (c *Cluster) SetClock(ctx context.Context, i int, ahead time.Duration) error {
	clocks, can := target.As[target.ClockSetter](c.cluster)
	about := setting{"set clock", phaseOf(ahead != 0), fault.Fault{Kind: fault.KindClock, Node: i, By: ahead}, aboutClock, target.Clocks, can}
	return c.set(ctx, i, about, func(ctx context.Context) error {
		if err := clocks.SetClock(ctx, i, ahead); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		setOrDelete(c.faults.Clocks, i, ahead)
		return nil
	})
}

// setting is a change of a node's surroundings, and the ability of the target that it needs.
type setting struct {
	action  string
	phase   journal.Phase
	fault   fault.Fault
	about   string // an aspect
	ability target.Ability
	can     bool
}

// phaseOf is the phase of a setting that makes something faulty, or healthy again.
func phaseOf(faulty bool) journal.Phase {
	if faulty {
		return journal.Begins
	}
	return journal.Ends
}

// set changes a node's surroundings, if the target can do it, one change at a time.
func (c *Cluster) set(ctx context.Context, i int, s setting, do func(context.Context) error) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	node, err := c.Node(i)
	switch {
	case err != nil:
		return err
	case !s.can:
		return node.failed(s.action, &UnsupportedError{s.ability})
	}
	if err := c.setting.Lock(ctx); err != nil {
		return node.failed(s.action, err)
	}
	defer c.setting.Unlock()
	event := c.recordFault(s.phase, s.fault, "")
	if err = do(ctx); err != nil {
		err = node.failed(s.action, err)
	}
	event.endOf(err, ofNode(s.about, i))
	return err
}
