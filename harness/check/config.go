package check

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// config is a possible state at one moment of a search.
type config struct {
	state int
	done  []uint64 // by slot: the operations in progress that have taken effect
	used  []use    // operations of unknown outcome that have taken effect, in the order of their classes
	rest  bool     // a final read has been explained
}

type use struct{ class, n int32 }

func (c *config) has(slot int) bool {
	return slot>>6 < len(c.done) && c.done[slot>>6]&(1<<(slot&63)) != 0
}

func (c *config) set(slot int) {
	for len(c.done) <= slot>>6 {
		c.done = append(c.done, 0)
	}
	c.done[slot>>6] |= 1 << (slot & 63)
}

func (c *config) clear(slot int) {
	c.done[slot>>6] &^= 1 << (slot & 63)
	for n := len(c.done); n > 0 && c.done[n-1] == 0; n-- {
		c.done = c.done[:n-1]
	}
}

func (c *config) find(class int) (int, bool) {
	return slices.BinarySearchFunc(c.used, int32(class), func(u use, class int32) int { return int(u.class - class) })
}

func (c *config) usedOf(class int) int {
	if i, is := c.find(class); is {
		return int(c.used[i].n)
	}
	return 0
}

func (c *config) use(class int) {
	i, is := c.find(class)
	if !is {
		c.used = slices.Insert(c.used, i, use{class: int32(class)})
	}
	c.used[i].n++
}

func (c *config) clone() *config {
	return &config{c.state, slices.Clone(c.done), slices.Clone(c.used), c.rest}
}

// total returns the number of operations of unknown outcome that have taken effect.
func (c *config) total() (n int) {
	for _, u := range c.used {
		n += int(u.n)
	}
	return n
}

// weight returns the number of operations in progress that have taken effect.
func (c *config) weight() (n int) {
	for _, word := range c.done {
		n += bits.OnesCount64(word)
	}
	return n
}

// size estimates the memory of the config in bytes.
func (c *config) size() int { return 96 + 8*len(c.done) + 8*len(c.used) }

// key is equal for configurations that differ only in the operations of unknown outcome.
func (c *config) key() string {
	b := make([]byte, 0, 8+8*len(c.done))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.state))
	if c.rest {
		b = append(b, 'r')
	}
	for _, word := range c.done {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return string(b)
}

// within tells whether the operations of unknown outcome in c are a subset of those in other.
func (c *config) within(other *config) bool {
	if len(c.used) > len(other.used) {
		return false
	}
	for _, u := range c.used {
		if other.usedOf(int(u.class)) < int(u.n) {
			return false
		}
	}
	return true
}

// frontier is a set of configurations of which none dominates another.
type frontier struct {
	search *search
	byKey  map[string][]*config
	keys   []string // in the order of insertion
}

func (s *search) newFrontier() *frontier {
	return &frontier{search: s, byKey: make(map[string][]*config)}
}

// add adds c unless another configuration dominates it, and tells whether it was added.
func (f *frontier) add(c *config) bool {
	key := c.key()
	same, again := f.byKey[key]
	if !again {
		f.keys = append(f.keys, key)
	}
	if slices.ContainsFunc(same, func(other *config) bool { return f.search.dominates(other, c) }) {
		return false
	}
	kept := slices.DeleteFunc(same, func(other *config) bool { return f.search.dominates(c, other) })
	f.byKey[key] = append(kept, c)
	return true
}

func (f *frontier) all() []*config {
	all := make([]*config, 0, len(f.keys))
	for _, key := range f.keys {
		all = append(all, f.byKey[key]...)
	}
	return all
}

// dominates tells whether every continuation of b is one of a. Their keys are equal.
func (s *search) dominates(a, b *config) bool {
	if a.within(b) {
		return true
	}
	m, is := s.model.(commuting)
	return is && m.exchanges(s, a, b)
}
