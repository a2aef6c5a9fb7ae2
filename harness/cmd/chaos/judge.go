package main

import "github.com/rejoin-db/rejoin/harness/journal"

func judge([]journal.Event) error { return nil }
