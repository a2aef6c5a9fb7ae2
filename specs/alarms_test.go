package specs_test

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// talking is a cluster whose first node says something.
type talking struct {
	target.Cluster
	line string
}

func (c talking) Unwrap() target.Cluster { return c.Cluster }

func (c talking) Log(node int, most int) (string, error) {
	if node > 0 {
		return "", nil
	}
	text := c.line + "\nand goes on\n"
	return text[max(0, len(text)-most):], nil
}

func (c talking) Alarms() target.Alarms {
	alarms := target.DefaultAlarms()
	alarms.Storage = []string{"no space left"}
	return alarms
}

// With this variable the program is a suite whose nodes say its value.
const beTalking = "TEST_NODES_SAY"

func TestTalkingNodes(t *testing.T) {
	line, is := os.LookupEnv(beTalking)
	if !is {
		t.Skip("this is the suite that TestAlarms runs")
	}
	nodes := target.Decorate(local.New(local.Options{}), func(c target.Cluster) (target.Cluster, error) { return talking{c, line}, nil })
	Describe("A node", func() {
		It("says something", func(ctx SpecContext) { specs.Cluster(ctx, nodes) })
		It("says what is expected", func(ctx SpecContext) {
			specs.Cluster(ctx, nodes)
			specs.ExpectAlarms("by order")
		})
		It("has a bad disk", func(ctx SpecContext) {
			cluster := specs.Cluster(ctx, nodes)
			Expect(cluster.SetDisk(ctx, 0, fault.Disk{Slow: 1})).To(Succeed())
		})
		It("fails for another reason", func(ctx SpecContext) {
			specs.Cluster(ctx, nodes)
			Fail("another reason")
		})
	})
	specs.Run(t, "Talking")
}

func TestAlarms(t *testing.T) {
	if _, is := os.LookupEnv(beTalking); is {
		t.Skip("this is the suite itself")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, line, focus string
		passes            bool
		says              string
	}{
		{"a sound line passes", "listening on port 1", "A node says something", true, "1 Passed"},
		{"a panic fails the spec, with the line", "panic: index out of range", "A node says something", false,
			"node 0 (n0) said: panic: index out of range"},
		{"an expected panic passes", "panic: by order", "A node says what is expected", true, "1 Passed"},
		{"another panic than the expected one fails", "panic: by chance", "A node says what is expected", false,
			"said: panic: by chance"},
		{"words about storage fail a spec without a disk fault", "no space left", "A node says something", false, "said: no space left"},
		{"words about storage are expected with a disk fault", "no space left", "A node has a bad disk", true, "1 Passed"},
		{"a panic with a disk fault fails", "panic: no disk", "A node has a bad disk", false, "said: panic: no disk"},
		{"a spec that fails for another reason shows the panic", "panic: the reason", "A node fails for another", false,
			"said: panic: the reason"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			said, passed := run(t.Context(), t, []string{beTalking + "=" + c.line, "REJOIN_NODES=1", "REJOIN_JOURNALS=none"}, self,
				"-test.run=^TestTalkingNodes$", "-ginkgo.no-color", "-ginkgo.focus="+c.focus)
			g.Expect(passed).To(Equal(c.passes), said)
			g.Expect(said).To(And(ContainSubstring("Ran 1 of 4 Specs"), ContainSubstring(c.says)))
		})
	}
}
