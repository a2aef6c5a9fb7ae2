package check_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("Converged", func() {
	digest := func(at, node int, index uint64, sum string) journal.Event {
		return journal.Event{At: begun.Add(time.Duration(at)), Kind: journal.Check, Node: node,
			State: &journal.State{Applied: index, Digest: sum}}
	}
	It("accepts nodes that became one", func() {
		sound(check.Converged, history{digest(0, 0, 5, "a"), digest(1, 1, 6, "b"), digest(2, 0, 6, "b"), digest(3, 1, 6, "b")})
	})
	It("refuses nodes that differ at one index", func() {
		broken(check.Converged, "diverged", history{digest(0, 0, 5, "a"), digest(1, 1, 5, "b")})
	})
	It("refuses nodes that end apart", func() {
		broken(check.Converged, "not converged", history{digest(0, 0, 5, "a"), digest(1, 1, 6, "b")})
	})
	It("reports every index at which nodes differ", func() {
		rule, err := check.Find("converged")
		Expect(err).NotTo(HaveOccurred())
		Expect(rule.Judge(history{digest(0, 0, 5, "a"), digest(1, 1, 5, "b"), digest(2, 0, 6, "a"),
			digest(3, 1, 6, "b")}).Violations).To(HaveLen(2))
	})
	It("does not wait for a node that was removed, or is offline", func() {
		behind := history{digest(0, 0, 6, "b"), digest(1, 1, 6, "b"), digest(2, 2, 5, "a")}
		broken(check.Converged, "not converged", behind)
		at := begun.Add(10)
		sound(check.Converged, append(behind, journal.Event{At: at, Kind: journal.Member, Node: 2,
			Members: &journal.Members{Voters: []int{0, 1}}}))
		sound(check.Converged, append(behind, journal.Event{At: at, Kind: journal.Flag, Node: 2, Flag: &journal.FlagChange{Online: false}}))
		broken(check.Converged, "not converged", append(behind, journal.Event{At: at, Kind: journal.Flag, Node: 2,
			Flag: &journal.FlagChange{Online: true}}))
	})
	It("proves nothing by one node alone", func() {
		Expect(check.Converged(history{digest(0, 0, 5, "a"), digest(1, 0, 6, "b")})).To(MatchError(check.ErrNothing))
	})
})

var _ = Describe("OneLeader", func() {
	shown := func(node int, role string, term uint64) journal.Event {
		return journal.Event{At: begun, Kind: journal.Shown, Node: node, State: &journal.State{Role: role, Term: term}}
	}
	It("accepts one a term", func() {
		sound(check.OneLeader, history{shown(0, "leader", 1), shown(0, "leader", 1), shown(1, "leader", 2), shown(2, "follower", 2)})
	})
	It("refuses two in one", func() {
		broken(check.OneLeader, "two leaders", history{shown(0, "leader", 1), shown(1, "leader", 1)})
	})
})
