package main

import "github.com/rejoin-db/rejoin/harness/journal"

// judge judges what clients saw, besides what every run looks at: that all nodes
// hold the same, and every acknowledged change. Nil judges nothing more.
var judge func([]journal.Event) error
