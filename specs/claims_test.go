package specs_test

import (
	"context"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// forgetful is a cluster whose nodes remember no request, and whose makers claim that, or not.
type forgetful struct {
	target.Cluster
	claimed bool
}

func (c forgetful) Unwrap() target.Cluster { return c.Cluster }

func (c forgetful) Claims() []target.Claim {
	return []target.Claim{{Promise: target.Durability, Made: c.claimed, Source: "its manual, page 7"}}
}

func (c forgetful) Memory() int { return 100 }

func (c forgetful) Remembered(context.Context, int) (map[string]bool, error) { return nil, nil }

// With this variable the program is a suite on nodes that lose what they acknowledged; its value tells whether they claim
// that they keep it.
const beForgetful = "TEST_NODES_CLAIM"

func TestForgetfulNodes(t *testing.T) {
	claims, is := os.LookupEnv(beForgetful)
	if !is {
		t.Skip("this is the suite that TestClaims runs")
	}
	nodes := target.Decorate(local.New(local.Options{}), func(c target.Cluster) (target.Cluster, error) {
		return forgetful{c, claims == "yes"}, nil
	})
	Describe("A node", func() {
		It("loses a request", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, nodes)
			Expect(cluster.ExecuteWithRetry(ctx, "CREATE TABLE t (x INTEGER)")).Error().NotTo(HaveOccurred())
		})
		It("is judged by what it loses", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, nodes)
			specs.Judge(ctx, cluster, target.Recency, target.Durability)
			Expect(false).To(BeTrue(), "a row is gone")
		})
		It("is judged by another promise", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, nodes)
			specs.Judge(ctx, cluster, target.Recency)
			Expect(false).To(BeTrue(), "a row is old")
		})
		It("fails before it is judged", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, nodes)
			defer specs.Judge(ctx, cluster, target.Durability)
			Expect(false).To(BeTrue(), "no fault took effect")
		})
	})
	specs.Run(t, "Forgetful")
}

func TestClaims(t *testing.T) {
	if _, is := os.LookupEnv(beForgetful); is {
		t.Skip("this is the suite itself")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const expected = "Expected, and no failure:\n  the database does not claim that an acknowledged change survives the loss " +
		"of a minority of the nodes (its manual, page 7). Shown by:\n    A node "
	for _, c := range []struct {
		name, claims, focus string
		passes              bool
		says                string
	}{
		{"a loss in the clean-up fails a database that claims durability", "yes", "loses a request", false, "lacks 1 acknowledged changes"},
		{"a loss in the clean-up is expected of one that does not", "no", "loses a request", true, expected + "loses a request"},
		{"a failed spec fails a database that claims what it judges", "yes", "by what it loses", false, "a row is gone"},
		{"a failed spec is expected where that is not claimed", "no", "by what it loses", true, expected + "is judged by what it loses"},
		{"another promise counts", "no", "another promise", false, "a row is old"},
		{"a failure before the judgement counts", "no", "before it is judged", false, "no fault took effect"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			said, passed := run(t.Context(), t, []string{beForgetful + "=" + c.claims, "REJOIN_NODES=1", "REJOIN_JOURNALS=none"}, self,
				"-test.run=^TestForgetfulNodes$", "-ginkgo.no-color", "-ginkgo.focus="+c.focus)
			g.Expect(passed).To(Equal(c.passes), said)
			g.Expect(said).To(And(ContainSubstring("of 4 Specs"), ContainSubstring(c.says)))
		})
	}
}
