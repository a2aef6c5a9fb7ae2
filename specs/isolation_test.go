//go:build cgo

package specs_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/isolation/transacting"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// With this variable the program is the suite on a target with interactive transactions and the flaw that is its value;
// "none" is none, and "locks" is one transaction after the other.
const beIsolated = "TEST_BE_ISOLATED"

func TestLevels(t *testing.T) {
	flaw := os.Getenv(beIsolated)
	if flaw == "" {
		t.Skip("this is the suite that TestIsolation runs")
	}
	isolated := &transacting.Target{
		Latency: 10 * time.Millisecond, Levels: []target.Isolation{target.ReadCommitted, target.Snapshot, target.Serializable},
	}
	switch flaw {
	case "none":
	case "locks":
		isolated.Locks = true
	default:
		isolated.Flaw = transacting.Flaw(flaw)
	}
	specs.Register(specs.Options{Target: isolated})
	specs.Run(t, "Levels")
}

func TestIsolation(t *testing.T) {
	if os.Getenv(beSuite) != "" || os.Getenv(beIsolated) != "" {
		t.Skip("this is the suite itself")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	suite := func(t *testing.T, flaw string) (string, bool) {
		settings := []string{beIsolated + "=" + flaw, "REJOIN_JOURNAL_FOLDER=" + t.TempDir()}
		return run(t.Context(), t, settings, self, "-test.run=^TestLevels$", "-ginkgo.no-color", "-ginkgo.label-filter=suite:isolation")
	}
	for _, flaw := range []string{"none", "locks"} {
		t.Run("passes with "+flaw, func(t *testing.T) {
			t.Parallel()
			said, passed := suite(t, flaw)
			g := NewWithT(t)
			g.Expect(passed).To(BeTrue(), said)
			g.Expect(strings.Count(said, "at several nodes")).To(BeNumerically(">=", 3*10), said)
			g.Expect(said).To(ContainSubstring("Ran 13 of "))
		})
	}
	const lists, registers, bank = "lists", "registers", "a bank"
	for flaw, found := range map[transacting.Flaw][]string{
		transacting.DirtyWrites: {"G0", "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP", "G2-item", "G2", lists, registers, bank},
		transacting.DirtyReads:  {"G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP", "G2-item", "G2", lists, registers, bank},
		transacting.ReadSkew:    {"G-single", "PMP", "G2-item", "G2", lists, registers, bank},
		transacting.LostUpdates: {"P4", "G2-item", "G2", lists, registers, bank},
		transacting.WriteSkew:   {"G2-item", "G2", lists, registers},
	} {
		t.Run("finds "+string(flaw), func(t *testing.T) {
			t.Parallel()
			said, passed := suite(t, string(flaw))
			g := NewWithT(t)
			g.Expect(passed).To(BeFalse(), said)
			for _, name := range []string{"G0", "G1a", "G1b", "G1c", "OTV", "P4", "G-single", "PMP", "G2-item", "G2", lists, registers, bank} {
				failed := Or(ContainSubstring("[It] do not show "+name+" ("), ContainSubstring("strongest level of the target [It] of "+name+" ["))
				_, summary, _ := strings.Cut(said, "Summarizing")
				if !slices.Contains(found, name) {
					g.Expect(summary).NotTo(failed, "%s\n%s", name, said)
					continue
				}
				g.Expect(summary).To(failed, "%s\n%s", name, said)
			}
			g.Expect(said).To(MatchRegexp(`happened at the level "serializable", which forbids it, at one node`))
		})
	}
}
