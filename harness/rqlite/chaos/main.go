// Command chaos plays schedules of faults on rqlite, one after the other, until one of them breaks a promise or its time is over:
//
//	cd harness/rqlite && RQLITED=/usr/local/bin/rqlited go run ./chaos -for 10m
//
// Its flags are those of chaos.Main.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/rqlite"
)

func main() {
	binary := os.Getenv("RQLITED")
	if binary == "" {
		fmt.Fprintln(os.Stderr, "chaos: set RQLITED to the path of an rqlited")
		os.Exit(2)
	}
	over := rqlite.New(rqlite.Options{Binary: binary, Election: 300 * time.Millisecond, Snapshot: 128})
	os.Exit(chaos.Hunt{Target: over, Name: "rqlite", Journals: "reports/journals"}.Main())
}
