package page_test

import (
	"fmt"
	"testing"

	"github.com/rejoin-db/rejoin/harness/report/internal/made"
	"github.com/rejoin-db/rejoin/harness/report/page"
)

// BenchmarkJournal adds a journal of 1,000 events to a page.
func BenchmarkJournal(b *testing.B) {
	events := made.Journal("A made spec", 7, 1000)
	for i := 0; b.Loop(); i++ {
		var c page.Collection
		add(b, &c, fmt.Sprint(i), events)
	}
}
