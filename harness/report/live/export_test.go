package live

import (
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Verbs are the names of all actions.
func Verbs() (names []string) {
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

// Scripts are the files that the page is made of.
func Scripts() []string { return scripts }

// Docs are the workloads that have a description.
func Docs() map[string]string { return docs }

// Aligned is what is shown of the answers of nodes; nil is a node that could not be asked.
func Aligned(answers ...[][]Cell) Side {
	var s Side
	var replies []reply
	for _, rows := range answers {
		r := reply{rows: rows}
		if rows == nil {
			r.err = errNotAsked
		}
		replies = append(replies, r)
	}
	s.align(replies)
	return s
}

var errNotAsked = bad("not asked")

// FeedOf follows a journal.
func FeedOf(j *journal.Journal) func(since int, now time.Time) (Feed, error) { return newFeed(j).trace }

// The bounds of the timeline.
const (
	MostOperations = mostOperations
	MostOthers     = mostOthers
	MostListed     = mostListed
)

// Shown is how a value is shown.
func Shown(v any) Cell { return cellOf(v) }
