package main

import (
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// judge is what a history is held against.
func judge(events []journal.Event) error { return check.All(events) }
