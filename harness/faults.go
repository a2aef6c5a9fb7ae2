package harness

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Faults are those in force, besides nodes that are offline: what is not sound, by
// the index of the node.
type Faults struct {
	Links    map[network.Way[int]]network.Rule
	Resets   map[network.Way[int]]bool // the links whose next message was to be cut in half, since they were mended
	Flapping []string                  // the links that flap, in words
	Disks    map[int]disk.Faults
	Clocks   map[int]time.Duration // how far they are ahead
}

func newFaults() Faults {
	return Faults{Links: make(map[network.Way[int]]network.Rule), Resets: make(map[network.Way[int]]bool), Disks: make(map[int]disk.Faults), Clocks: make(map[int]time.Duration)}
}

// Faults returns a copy of the faults in force.
func (c *Cluster) Faults() Faults {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return newFaults()
	}
	f := c.faults
	return Faults{Links: maps.Clone(f.Links), Resets: maps.Clone(f.Resets), Flapping: slices.Clone(f.Flapping), Disks: maps.Clone(f.Disks), Clocks: maps.Clone(f.Clocks)}
}

// Lines are the faults in words, a line each.
func (f Faults) Lines() []string {
	var lines []string
	ways := slices.Collect(maps.Keys(f.Links))
	sortWays(ways)
	for _, way := range ways {
		lines = append(lines, fmt.Sprintf("link %s: %s", wayWords(way), ruleWords(f.Links[way])))
	}
	ways = slices.Collect(maps.Keys(f.Resets))
	sortWays(ways)
	for _, way := range ways {
		lines = append(lines, fmt.Sprintf("link %s: a message is or was to be cut in half", wayWords(way)))
	}
	lines = append(lines, f.Flapping...)
	for _, i := range slices.Sorted(maps.Keys(f.Disks)) {
		lines = append(lines, fmt.Sprintf("disk of node %d: %s", i, diskWords(f.Disks[i])))
	}
	for _, i := range slices.Sorted(maps.Keys(f.Clocks)) {
		lines = append(lines, fmt.Sprintf("clock of node %d: %s", i, clockWords(f.Clocks[i])))
	}
	return lines
}

func (f *Faults) stopped(flapping string) {
	if i := slices.Index(f.Flapping, flapping); i >= 0 {
		f.Flapping = slices.Delete(f.Flapping, i, i+1)
	}
}

// keep keeps a value that is not the zero one, and nothing else.
func keep[K, V comparable](in map[K]V, key K, value V) {
	var sound V
	if value == sound {
		delete(in, key)
	} else {
		in[key] = value
	}
}

// forget forgets the faults of a node that is no more.
func (c *Cluster) forget(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.faults.Disks, i)
	delete(c.faults.Clocks, i)
	maps.DeleteFunc(c.faults.Links, func(w network.Way[int], _ network.Rule) bool { return w.From == i || w.To == i })
	maps.DeleteFunc(c.faults.Resets, func(w network.Way[int], _ bool) bool { return w.From == i || w.To == i })
}

// SetDisk makes the node's disk what the faults say, whether or not the node runs;
// zero faults are a sound disk.
func (c *Cluster) SetDisk(ctx context.Context, i int, faults disk.Faults) error {
	disker, can := target.As[target.Disker](c.cluster)
	return c.set(ctx, i, "set disk", "disk: "+diskWords(faults), target.Disks, can, func(ctx context.Context) error {
		if faults.Lying {
			c.votes.mayForget(i)
		}
		if err := disker.SetDisk(ctx, i, faults); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		keep(c.faults.Disks, i, faults)
		return nil
	})
}

// Damage flips one byte of a part of what the node keeps on its disk, whether or
// not the node runs, and returns which file that was. Of a node that does not run a
// part of the log can also be lost: see disk.LogEnd. Only another disk heals it: see
// Wiped.
func (c *Cluster) Damage(ctx context.Context, i int, part disk.Part) (file string, err error) {
	disker, can := target.As[target.Disker](c.cluster)
	err = c.set(ctx, i, "damage", "damage the "+string(part), target.Disks, can, func(ctx context.Context) (err error) {
		if err = part.Validate(); err == nil {
			file, err = disker.Damage(ctx, i, part)
		}
		if err == nil && part == disk.Everything {
			c.votes.mayForget(i)
		}
		return err
	})
	return file, err
}

// SetClock sets how far the node's clock is ahead of the true time; behind if
// negative, and right if 0. A clock that is set again jumps.
func (c *Cluster) SetClock(ctx context.Context, i int, ahead time.Duration) error {
	skewer, can := target.As[target.Skewer](c.cluster)
	return c.set(ctx, i, "set clock", "clock: "+clockWords(ahead), target.Clocks, can, func(ctx context.Context) error {
		if err := skewer.SetClock(ctx, i, ahead); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		keep(c.faults.Clocks, i, ahead)
		return nil
	})
}

// set does something to a node's surroundings, if it can be done, one at a time.
func (c *Cluster) set(ctx context.Context, i int, action, text string, ability target.Ability, can bool, do func(context.Context) error) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	node, err := c.Node(i)
	switch {
	case err != nil:
		return err
	case !can:
		return node.failed(action, &UnsupportedError{ability})
	}
	if err := c.setting.Take(ctx); err != nil {
		return node.failed(action, err)
	}
	defer c.setting.Pass()
	end := c.journal.Begin(journal.Fault, i, "%s", text)
	if err = do(ctx); err != nil {
		err = node.failed(action, err)
	}
	end(err)
	return err
}

func diskWords(f disk.Faults) string {
	var words []string
	for _, fault := range []struct {
		is   bool
		word string
	}{{f.Full, "full"}, {f.Failing, "failing"}, {f.Slow != 0, fmt.Sprintf("%v slower", f.Slow)}, {f.Lying, "lying"}, {f.Torn, "about to tear a write"}} {
		if fault.is {
			words = append(words, fault.word)
		}
	}
	if len(words) == 0 {
		return "sound"
	}
	return strings.Join(words, ", ")
}

func clockWords(ahead time.Duration) string {
	switch {
	case ahead > 0:
		return fmt.Sprintf("%v ahead", ahead)
	case ahead < 0:
		return fmt.Sprintf("%v behind", -ahead)
	}
	return "right"
}

func sortWays(ways []network.Way[int]) {
	slices.SortFunc(ways, func(a, b network.Way[int]) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}
