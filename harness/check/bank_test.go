package check_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("Total", func() {
	look := func(at int, level journal.Level, a, b int64) journal.Event {
		return happened(1, at, at+1, ok, journal.Bank, level, read("a", a), read("b", b))
	}
	move := happened(2, 2, 3, ok, journal.Bank, "", do(journal.Increment, "b", 60), do(journal.Increment, "a", -60))
	It("accepts transfers", func() {
		sound(check.Total, history{look(0, strong, 100, 100), move, look(4, strong, 40, 160), look(6, local, 100, 100)})
	})
	It("refuses a transfer that was acknowledged and lost", func() {
		broken(check.Total, "balances out of order", history{look(0, strong, 100, 100), move, look(4, strong, 100, 100)})
	})
	It("refuses money that is wrong from the first read on", func() {
		open := happened(2, -2, -1, ok, journal.Bank, "", do(journal.Write, "a", 100), do(journal.Write, "b", 100))
		broken(check.Total, "the total changed", history{open, look(0, strong, 100, 90), look(4, strong, 100, 90)})
	})
	It("refuses an account that vanished", func() {
		gone := happened(1, 4, 5, ok, journal.Bank, strong, read("a", 100), read("b"))
		broken(check.Total, "balances out of order", history{look(0, strong, 100, 100), gone})
	})
	It("cannot judge transfers that make money", func() {
		made := happened(2, 1, 3, ok, journal.Bank, "", do(journal.Increment, "b", 60))
		Expect(check.Total(history{look(0, strong, 100, 100), made})).To(MatchError(check.ErrInvalid))
	})
	It("refuses a total that changed", func() {
		broken(check.Total, "the total changed", history{look(0, strong, 100, 100), look(2, local, 40, 100)})
	})
	It("refuses a negative balance", func() {
		broken(check.Total, "a negative balance", history{look(0, strong, 100, 100), look(2, local, -1, 201)})
	})
})
