// Command cluster boots a cluster of any kalamdb-server, and serves a page to play with it: see package live.
//
//	cd harness/kalamdb && KALAMDB=/usr/local/bin/kalamdb-server go run ./cluster
package main

import (
	"fmt"
	"os"

	"github.com/rejoin-db/rejoin/harness/kalamdb"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

func main() {
	binary := os.Getenv("KALAMDB")
	if binary == "" {
		fmt.Fprintln(os.Stderr, "cluster: set KALAMDB to the path of a kalamdb-server")
		os.Exit(2)
	}
	os.Exit(live.Game{Target: kalamdb.New(kalamdb.Options{Binary: binary}), Name: "kalamdb"}.Main())
}
