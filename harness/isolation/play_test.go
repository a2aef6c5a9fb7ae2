//go:build cgo

package isolation_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/isolation"
	"github.com/rejoin-db/rejoin/harness/isolation/transacting"
	"github.com/rejoin-db/rejoin/harness/target"
)

// setting boots a cluster to play on.
func setting(ctx context.Context, t target.Target) isolation.Setting {
	GinkgoHelper()
	nothingIsLeft()
	c, err := harness.Boot(ctx, t)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	_, err = c.ExecuteOnRandom(ctx, "CREATE NAMESPACE ns")
	Expect(err).NotTo(HaveOccurred())
	return isolation.Setting{Cluster: c, Table: "ns.t", Level: target.Serializable, Nodes: []int{0, 1, 2}, Wait: 50 * time.Millisecond}
}

// verdicts plays all anomalies.
func verdicts(ctx context.Context, s isolation.Setting) map[string]isolation.Verdict {
	GinkgoHelper()
	all := make(map[string]isolation.Verdict)
	for _, a := range isolation.Anomalies() {
		played, err := a.Play(ctx, s)
		Expect(err).NotTo(HaveOccurred())
		GinkgoWriter.Printf("%s: %s\n%s\n\n", a, played.Verdict, played.Text)
		all[a.Name] = played.Verdict
	}
	return all
}

func happening(all map[string]isolation.Verdict) (names []string) {
	for _, a := range isolation.Anomalies() {
		if all[a.Name] == isolation.Happens {
			names = append(names, a.Name)
		}
	}
	return names
}

var _ = Describe("An anomaly", func() {
	It("does not happen on a serializable database, which aborts transactions", func(ctx SpecContext) {
		all := verdicts(ctx, setting(ctx, &transacting.Target{}))
		Expect(happening(all)).To(BeEmpty())
		Expect(all).To(HaveKeyWithValue("P4", isolation.Aborts))
		Expect(all).To(HaveKeyWithValue("G1a", isolation.Prevented))
	}, patience)

	It("does not happen where transactions wait for each other", func(ctx SpecContext) {
		all := verdicts(ctx, setting(ctx, &transacting.Target{Locks: true}))
		Expect(happening(all)).To(BeEmpty())
		for _, a := range isolation.Anomalies() {
			Expect(all).To(HaveKeyWithValue(a.Name, isolation.Blocks))
		}
	}, patience)

	It("does not happen where a statement gives up waiting", func(ctx SpecContext) {
		s := setting(ctx, &transacting.Target{Locks: true})
		s.Limit = 20 * time.Millisecond
		Expect(happening(verdicts(ctx, s))).To(BeEmpty())
	}, patience)

	DescribeTable("is found where it happens", func(ctx SpecContext, flaw transacting.Flaw, names ...string) {
		all := verdicts(ctx, setting(ctx, &transacting.Target{Flaw: flaw}))
		Expect(happening(all)).To(Equal(names))
	},
		Entry(nil, patience, transacting.DirtyWrites, "G0", "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP", "G2-item", "G2"),
		Entry(nil, patience, transacting.DirtyReads, "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP", "G2-item", "G2"),
		Entry(nil, patience, transacting.ReadSkew, "G-single", "PMP", "G2-item", "G2"),
		Entry(nil, patience, transacting.LostUpdates, "P4", "G2-item", "G2"),
		Entry(nil, patience, transacting.WriteSkew, "G2-item", "G2"),
	)

	It("is told with its interleaving", func(ctx SpecContext) {
		s := setting(ctx, &transacting.Target{Flaw: transacting.LostUpdates})
		for _, a := range isolation.Anomalies() {
			if a.Name != "P4" {
				continue
			}
			played, err := a.Play(ctx, s)
			Expect(err).NotTo(HaveOccurred())
			Expect(played.Text).To(Equal(` 1. T1 begin: at node 0 (n0)
 2. T2 begin: at node 1 (n1)
 3. T1 SELECT id, value FROM ns.t WHERE id = 1: (1, 10)
 4. T2 SELECT id, value FROM ns.t WHERE id = 1: (1, 10)
 5. T1 UPDATE ns.t SET value = 11 WHERE id = 1: 1 rows
 6. T2 UPDATE ns.t SET value = 12 WHERE id = 1: 1 rows
 7. T1 commit: done
 8. T2 commit: done
 9. in the end: (1, 12) (2, 20)`))
		}
	}, patience)

	It("cannot be played where a node does not answer: the play was disturbed", func(ctx SpecContext) {
		s := setting(ctx, target.Decorate(&transacting.Target{}, func(c target.Cluster) (target.Cluster, error) { return deaf{c}, nil }))
		_, err := isolation.Anomalies()[0].Play(ctx, s)
		Expect(err).To(MatchError(isolation.ErrDisturbed))
		Expect(err).To(MatchError(target.ErrUnreachable))
	}, patience)

	It("is forbidden at the levels of its definition", func() {
		forbidden := make(map[target.Isolation][]string)
		for _, a := range isolation.Anomalies() {
			for _, level := range a.Forbidden {
				forbidden[level] = append(forbidden[level], a.Name)
			}
		}
		Expect(forbidden).To(Equal(map[target.Isolation][]string{
			target.ReadUncommitted: {"G0"},
			target.ReadCommitted:   {"G0", "G1a", "G1b", "G1c"},
			target.RepeatableRead:  {"G0", "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "G2-item"},
			target.Snapshot:        {"G0", "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP"},
			target.Serializable:    {"G0", "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP", "G2-item", "G2"},
		}))
	})

	It("needs a cluster, a table and nodes", func(ctx SpecContext) {
		_, err := isolation.Anomalies()[0].Play(ctx, isolation.Setting{})
		Expect(err).To(MatchError("play an anomaly: cluster, table and nodes must be given"))
	}, patience)
})

// deaf is a cluster of which one node takes no transactions.
type deaf struct{ target.Cluster }

func (d deaf) Unwrap() target.Cluster { return d.Cluster }

func (d deaf) Isolations() []target.Isolation { return []target.Isolation{target.Serializable} }

func (d deaf) Begin(ctx context.Context, node int, level target.Isolation) (target.Transaction, error) {
	if node == 1 {
		return nil, &target.Error{Node: "n1", Outcome: target.NotApplied, Kind: target.ErrUnreachable, Temporary: true}
	}
	return d.Cluster.(target.Transactor).Begin(ctx, node, level)
}
