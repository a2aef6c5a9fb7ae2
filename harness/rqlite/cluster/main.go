// Command cluster boots a cluster of any rqlited, and serves a page to play with it: see package live.
//
//	cd harness/rqlite && RQLITED=/usr/local/bin/rqlited go run ./cluster
package main

import (
	"fmt"
	"os"

	"github.com/rejoin-db/rejoin/harness/report/live"
	"github.com/rejoin-db/rejoin/harness/rqlite"
)

func main() {
	binary := os.Getenv("RQLITED")
	if binary == "" {
		fmt.Fprintln(os.Stderr, "cluster: set RQLITED to the path of an rqlited")
		os.Exit(2)
	}
	os.Exit(live.Game{Target: rqlite.New(rqlite.Options{Binary: binary}), Name: "rqlite"}.Main())
}
