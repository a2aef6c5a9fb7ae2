//go:build cgo

package chaos_test

import (
	"bytes"
	"io"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/isolation/transacting"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("A hunt on a target with interactive transactions", func() {
	hunt := func(ctx SpecContext, t *transacting.Target, workloads ...string) (bool, string) {
		GinkgoHelper()
		nothingIsLeft()
		var out bytes.Buffer
		t.Latency = 20 * time.Millisecond
		h := chaos.Hunt{
			Target: t, Seed: 1, For: 4 * time.Second, Out: &out, Progress: io.Discard,
			Space: chaos.Space{Pace: -1, Length: time.Second, Every: 300 * time.Millisecond, Rate: 300, Workloads: workloads},
		}
		found, err := h.Run(ctx)
		Expect(err).NotTo(HaveOccurred(), out.String())
		return found, out.String()
	}

	It("draws them, and finds nothing where they are serializable", func(ctx SpecContext) {
		found, said := hunt(ctx, &transacting.Target{}, "interactive-lists", "interactive-registers", "interactive-bank")
		Expect(found).To(BeFalse(), said)
	}, patience)

	It("finds lost updates", func(ctx SpecContext) {
		found, said := hunt(ctx, &transacting.Target{Flaw: transacting.LostUpdates}, "interactive-lists")
		Expect(found).To(BeTrue(), said)
		Expect(said).To(ContainSubstring("safety"))
	}, patience)

	It("finds write skew", func(ctx SpecContext) {
		found, said := hunt(ctx, &transacting.Target{Flaw: transacting.WriteSkew}, "interactive-lists")
		Expect(found).To(BeTrue(), said)
		Expect(said).To(ContainSubstring("write skew"))
	}, patience)

	It("draws only those that the strongest level promises", func(ctx SpecContext) {
		for level, names := range map[target.Isolation][]string{
			target.Serializable:  {"interactive-lists", "interactive-registers", "interactive-bank"},
			target.Snapshot:      {"interactive-bank"},
			target.ReadCommitted: {},
		} {
			from, err := chaos.SpaceOf(ctx, chaos.Hunt{Target: &transacting.Target{Levels: []target.Isolation{target.ReadUncommitted, level}}})
			Expect(err).NotTo(HaveOccurred())
			Expect(from.Workloads).To(HaveLen(8 + len(names)))
			Expect(from.Workloads[8:]).To(Equal(names))
		}
	}, patience)
})
