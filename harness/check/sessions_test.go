package check_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// by is an operation of a client on a node, at a level.
func by(client, node, from, to int, model journal.Model, level journal.Level, steps ...journal.Step) journal.Event {
	e := happened(client, from, to, ok, model, level, steps...)
	e.Node = node
	return e
}

func named(name string) func(history) error {
	GinkgoHelper()
	rule, err := check.Find(name)
	Expect(err).NotTo(HaveOccurred())
	return func(h history) error { return rule.Judge(h).Err() }
}

var _ = Describe("A session", func() {
	add := func(node, at int, value int64) journal.Event {
		return by(1, node, at, at+1, journal.Set, strong, do(journal.Add, "s", value))
	}
	sees := func(node, at int, level journal.Level, values ...int64) journal.Event {
		return by(1, node, at, at+1, journal.Set, level, read("s", values...))
	}
	down := func(at, node int) journal.Event {
		return journal.Event{At: begun.Add(time.Duration(at) * time.Millisecond), Kind: journal.Flag, Node: node, Flag: &journal.FlagChange{}}
	}

	It("reads of one node never go back at the level local", func() {
		broken(check.Monotonic, "not monotonic", history{sees(0, 0, local, 7), sees(0, 2, local)})
		sound(check.Monotonic, history{sees(0, 0, local, 7), sees(1, 2, local)})
		broken(named("monotonic-reads-at-any-node"), "not monotonic", history{sees(0, 0, local, 7), sees(1, 2, local)})
	})
	It("ends with the life of its node", func() {
		sound(check.Monotonic, history{sees(0, 0, local, 7), down(1, 0), sees(0, 2, local)})
		broken(check.Monotonic, "not monotonic", history{sees(0, 0, local, 7), down(1, 1), sees(0, 2, local)})
	})
	It("sees its own writes at the node that answered them, and in strong reads", func() {
		broken(check.OwnWrites, "own write not seen", history{add(0, 0, 7), sees(0, 2, local)})
		sound(check.OwnWrites, history{add(0, 0, 7), sees(1, 2, local)})
		broken(check.OwnWrites, "own write not seen", history{add(0, 0, 7), sees(1, 2, strong)})
		broken(named("read-your-writes-at-any-node"), "own write not seen", history{add(0, 0, 7), sees(1, 2, local)})
	})
	It("proves nothing if its reads have no level", func() {
		Expect(check.OwnWrites(history{add(0, 0, 7), sees(0, 2, "")})).To(MatchError(check.ErrNothing))
	})

	list := func(client, at int, steps ...journal.Step) journal.Event {
		return by(client, 0, at, at+1, journal.List, local, steps...)
	}
	appends := func(key string, value int64) journal.Step { return do(journal.Append, key, value) }
	It("brings along what its reads had seen, through other clients", func() {
		h := history{list(1, 0, appends("x", 1)), list(2, 2, read("x", 1)), list(2, 4, appends("y", 2)), list(3, 6, read("y", 2)),
			list(3, 8, appends("z", 3))}
		broken(check.WritesFollowReads, "write without what it follows", append(h, list(4, 10, read("z", 3), read("x"))))
		sound(check.WritesFollowReads, append(h, list(4, 10, read("z", 3), read("x", 1))))
		sound(check.MonotonicWrites, append(h, list(4, 10, read("z", 3), read("x"))))
	})
	It("brings along what a removal needs that must have been", func() {
		h := history{
			by(1, 0, 0, 1, journal.Set, local, do(journal.Add, "s", 1)), by(1, 0, 2, 3, journal.Set, local, do(journal.Add, "s", 2)),
			by(2, 0, 4, 5, journal.Set, local, do(journal.Add, "t", 3)), by(2, 0, 6, 7, journal.Set, local, do(journal.Remove, "s", 1)),
		}
		broken(check.MonotonicWrites, "writes not monotonic", append(h, by(3, 0, 8, 9, journal.Set, local, read("s", 2), read("t"))))
		sound(check.MonotonicWrites, append(h, by(3, 0, 8, 9, journal.Set, local, read("s", 2), read("t", 3))))
		sound(check.MonotonicWrites, append(h, by(3, 0, 8, 9, journal.Set, local, read("s", 1, 2), read("t"))))
	})
	It("judges registers by whether their values have an order", func() {
		value := func(client, at int, v int64) journal.Event {
			return by(client, 0, at, at+1, journal.Register, local, read("x", v))
		}
		broken(check.Monotonic, "not monotonic", history{value(1, 0, 1), value(1, 2, 2), value(2, 4, 2),
			value(2, 6, 1)})
		sound(check.Monotonic, history{value(1, 0, 1), value(1, 2, 2), value(2, 4, 1), value(2, 6, 2)})
	})
	It("may read the last of many writes of its own", func() {
		var h history
		for i := range 20 {
			h = append(h, by(1, 0, 4*i, 4*i+1, journal.Register, strong, do(journal.Write, "x", int64(i+1))))
			h = append(h, by(1, 0, 4*i+2, 4*i+3, journal.Register, strong, read("x", int64(i+1))))
		}
		sound(check.OwnWrites, h)
		broken(check.OwnWrites, "own write not seen", append(h, by(1, 0, 90, 91, journal.Register, strong, read("x", 3))))
	})
	It("judges a counter by whether it falls", func() {
		value := func(at int, v int64) journal.Event {
			return by(1, 0, at, at+1, journal.Counter, local, read("c", v))
		}
		broken(check.Monotonic, "not monotonic", history{value(0, 5), value(2, 4)})
		sound(check.Monotonic, history{value(0, 4), value(2, 5)})
	})
})
