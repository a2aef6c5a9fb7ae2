// Command cluster boots PostgreSQL with Patroni, and serves a page to play with it: see package live.
//
//	cd harness/patroni && PATRONI_MODE=strict go run ./cluster
//
// PATRONI_MODE is asynchronous, synchronous (the default) or strict.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/patroni"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

func main() {
	mode, err := patroni.ModeOf(os.Getenv("PATRONI_MODE"))
	if err == nil {
		err = patroni.Supported()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
	os.Exit(live.Game{Target: patroni.New(patroni.Options{Mode: mode}), Name: "PostgreSQL with Patroni", Boot: 5 * time.Minute}.Main())
}
