package check_test

import (
	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("OnlyOnce", func() {
	insert := func(client int, outcome journal.Outcome) journal.Event {
		return happened(client, 0, 1, outcome, journal.Unique, "", do(journal.Insert, "names", 7))
	}
	It("accepts one owner, and those who were refused", func() {
		sound(check.OnlyOnce, history{insert(1, ok), insert(2, failed), insert(3, unknown)})
	})
	It("refuses two owners", func() { broken(check.OnlyOnce, "taken twice", history{insert(1, ok), insert(2, ok)}) })
})
