package chaos_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// A cluster with one ability of another, around a cluster with others.
type (
	withStarter struct {
		target.Cluster
		target.Starter
	}
	withLinks struct {
		target.Cluster
		target.LinkFaulter
	}
	withPackets struct{ target.Cluster }
	withDisk    struct {
		target.Cluster
		target.DiskFaulter
	}
	withClock struct {
		target.Cluster
		target.ClockSetter
	}
	withMembership struct {
		target.Cluster
		target.Membership
	}
	withPauser struct {
		target.Cluster
		target.Pauser
	}
)

func (c withStarter) Unwrap() target.Cluster    { return c.Cluster }
func (c withLinks) Unwrap() target.Cluster      { return c.Cluster }
func (c withPackets) Unwrap() target.Cluster    { return c.Cluster }
func (withPackets) CarriesPackets() bool        { return true }
func (c withDisk) Unwrap() target.Cluster       { return c.Cluster }
func (c withClock) Unwrap() target.Cluster      { return c.Cluster }
func (c withMembership) Unwrap() target.Cluster { return c.Cluster }
func (c withPauser) Unwrap() target.Cluster     { return c.Cluster }

// withoutIsolation cannot isolate nodes.
type withoutIsolation struct{ target.Cluster }

func (c withoutIsolation) Unwrap() target.Cluster { return c.Cluster }
func (withoutIsolation) Isolates() bool           { return false }

// noPauser pauses nothing.
type noPauser struct{}

func (noPauser) Pause(context.Context, int) error  { return nil }
func (noPauser) Resume(context.Context, int) error { return nil }

// faulty are the abilities that kinds of faults need.
var faulty = []target.Ability{
	target.Isolate, target.Stop, target.Crash, target.Links, target.Packets, target.Disks, target.Clocks, target.Members,
	target.Pause,
}

// only returns the cluster with these abilities, and no other.
func only(c target.Cluster, abilities ...target.Ability) target.Cluster {
	var with target.Cluster = plain{c}
	if !slices.Contains(abilities, target.Isolate) {
		with = withoutIsolation{with}
	}
	for _, a := range abilities {
		switch a {
		case target.Isolate:
		case target.Stop, target.Crash:
			starter, _ := target.As[target.Starter](c)
			with = withStarter{with, starter}
		case target.Links:
			links, _ := target.As[target.LinkFaulter](c)
			with = withLinks{with, links}
		case target.Packets:
			with = withPackets{with}
		case target.Disks:
			disks, _ := target.As[target.DiskFaulter](c)
			with = withDisk{with, disks}
		case target.Clocks:
			clocks, _ := target.As[target.ClockSetter](c)
			with = withClock{with, clocks}
		case target.Members:
			members, _ := target.As[target.Membership](c)
			with = withMembership{with, members}
		case target.Pause:
			with = withPauser{with, noPauser{}}
		default:
			Fail("there is no such ability of faults: " + string(a))
		}
	}
	return with
}

// decorated are clusters in virtual time, decorated.
func decorated(decorate decorator) target.Target {
	return target.Decorate(virtual.New(virtual.Options{}), func(c target.Cluster) (target.Cluster, error) { return decorate(c), nil })
}

// huntOf is a short hunt in virtual time, and what it prints.
func huntOf(t target.Target) (chaos.Hunt, *gbytes.Buffer) {
	out := gbytes.NewBuffer()
	return chaos.Hunt{
		Target: t, Seed: 1, For: time.Second, Out: out, Progress: io.Discard,
		In: func(ctx context.Context, seed uint64, body func(context.Context)) error {
			return virtual.Run(ctx, body, virtual.Seed(seed))
		},
	}, out
}

// kindsIn returns the kinds of faults that a report names.
func kindsIn(report string) (kinds []fault.Kind) {
	for _, k := range nemesis.All() {
		for line := range strings.Lines(report) {
			if strings.HasPrefix(strings.TrimSpace(line), string(k.Name)+" ") {
				kinds = append(kinds, k.Name)
			}
		}
	}
	return kinds
}

// speaking is a cluster whose nodes say something.
type speaking struct {
	target.Cluster
	text string
}

func (c speaking) Unwrap() target.Cluster { return c.Cluster }

func (c speaking) Log(node int, most int) (string, error) {
	text := c.Nodes()[node].ID() + " is up\n" + c.text
	return text[max(0, len(text)-most):], nil
}

// fixedSize is a cluster that exists already.
type fixedSize struct {
	target.Target
	asked *[]int
}

func (f fixedSize) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if size != 3 {
		return nil, &target.SizeError{Asked: size, Has: 3}
	}
	*f.asked = append(*f.asked, size)
	return f.Target.Boot(ctx, size)
}

var _ = Describe("Chaos on any target", func() {
	BeforeEach(nothingIsLeft)

	for _, lacks := range slices.Compact(slices.Clone(faulty)) {
		It("draws no kind of fault for which the target cannot "+string(lacks)+", and all others", func(ctx SpecContext) {
			others := slices.DeleteFunc(slices.Clone(faulty), func(a target.Ability) bool {
				return a == lacks || slices.Contains([]target.Ability{target.Stop, target.Crash}, a) &&
					slices.Contains([]target.Ability{target.Stop, target.Crash}, lacks) // one interface
			})
			var possible []nemesis.Kind
			t := decorated(func(c target.Cluster) target.Cluster { return only(c, others...) })
			Expect(virtual.Run(ctx, func(ctx context.Context) {
				c, err := harness.Boot(ctx, t, harness.Size(3))
				Expect(err).NotTo(HaveOccurred())
				possible = nemesis.Possible(c)
				Expect(c.Close()).To(Succeed())
			})).To(Succeed())
			for _, k := range nemesis.All() {
				lacking := slices.ContainsFunc(k.Needs, func(a target.Ability) bool { return !slices.Contains(others, a) })
				Expect(slices.Contains(nemesis.Names(possible), k.Name)).To(Equal(!lacking), "%s needs %q", k.Name, k.Needs)
			}
		}, patience)
	}

	It("makes each kind of fault with the abilities that the kind needs, and no other", func(ctx SpecContext) {
		for _, e := range ofAllKinds().Faults[:len(nemesis.All())] {
			k, err := nemesis.Find(e.Kind)
			Expect(err).NotTo(HaveOccurred())
			if slices.Contains(k.Needs, target.Pause) || slices.Contains(k.Needs, target.Packets) {
				continue // virtual nodes cannot be paused, and their links carry messages
			}
			e.At, e.Lasts, e.By = 2*time.Second, 10*time.Second, e.By*100
			outcome := runOn(ctx, one(e), func(c target.Cluster) target.Cluster { return only(c, k.Needs...) })
			Expect(outcome.Failure).NotTo(HaveOccurred(), string(e.Kind))
			Expect(outcome.Faults[e.Kind].Made).To(Equal(1), "%s: %v", e.Kind, outcome.Faults)
		}
	}, SpecTimeout(3*time.Minute))

	It("hunts on a target that can only isolate", func(ctx SpecContext) {
		h, out := huntOf(decorated(func(c target.Cluster) target.Cluster { return plain{c} }))
		found, err := h.Run(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeFalse(), string(out.Contents()))
		Expect(kindsIn(string(out.Contents()))).To(ConsistOf(fault.KindIsolate))
		Expect(string(out.Contents())).NotTo(ContainSubstring("unsupported"))
	}, patience)

	It("leaves out kinds that it was told to draw and the target does not support", func(ctx SpecContext) {
		h, out := huntOf(decorated(func(c target.Cluster) target.Cluster { return only(c, target.Isolate, target.Clocks) }))
		h.Space = chaos.Virtual()
		_, err := h.Run(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(kindsIn(string(out.Contents()))).NotTo(BeEmpty())
		Expect(kindsIn(string(out.Contents()))).To(HaveEach(BeElementOf(fault.KindIsolate, nemesis.ClockAhead.Name,
			nemesis.ClockBehind.Name, nemesis.ClockJump.Name)))

		h.Space = chaos.Space{Kinds: []nemesis.Kind{nemesis.Crash, nemesis.SlowLink}}
		Expect(h.Run(ctx)).Error().To(MatchError(
			`the target supports none of the kinds of faults ["crash" "slow link"]`))
	}, patience)

	It("hunts on a cluster that exists already, and has one size", func(ctx SpecContext) {
		var asked []int
		h, out := huntOf(fixedSize{virtual.New(virtual.Options{}), &asked})
		h.For = 3 * time.Second
		found, err := h.Run(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeFalse(), string(out.Contents()))
		Expect(len(asked)).To(BeNumerically(">", 1))
	}, patience)

	It("reports the end of each node's log with a schedule that fails", func(ctx SpecContext) {
		h, out := huntOf(decorated(func(c target.Cluster) target.Cluster {
			return speaking{plain{c}, strings.Repeat("a line\n", 1000) + "the last\n"}
		}))
		h.Options.Judge = func([]journal.Event) error { return errors.New("it is broken") }
		found, err := h.Run(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeTrue())
		for _, node := range []string{"node 0 (n0)", "node 1 (n1)", "node 2 (n2)"} {
			Expect(string(out.Contents())).To(MatchRegexp(`(?s)The end of the log of ` + regexpOf(node) + `:.*  a line\n  the last\n`))
		}
	}, patience)

	It("fails on a line in a log that tells of a bug, unless it is expected", func(ctx SpecContext) {
		panics := func(c target.Cluster) target.Cluster { return speaking{c, "panic: nil map\n"} }
		outcome := runOn(ctx, one(), panics)
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Safety))
		Expect(outcome.Failure.Reason).To(ContainSubstring("node 1 (n1) said: panic: nil map"))
		Expect(outcome.Logs).To(HaveLen(3))
		Expect(outcome.Logs[2]).To(Equal(chaos.NodeLog{Node: "node 2 (n2)", End: "n2 is up\npanic: nil map\n"}))

		Expect(virtual.Run(ctx, func(ctx context.Context) {
			var err error
			outcome, err = chaos.Run(ctx, decorated(panics), one(), chaos.Options{Expected: []string{"nil map"}})
			Expect(err).NotTo(HaveOccurred())
		})).To(Succeed())
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Logs).To(BeEmpty())
	}, patience)
})

// regexpOf is a pattern for the text.
func regexpOf(text string) string { return strings.NewReplacer("(", `\(`, ")", `\)`).Replace(text) }
