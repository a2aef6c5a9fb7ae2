// Command cluster boots MariaDB with Galera, and serves a page to play with it: see package live.
//
//	cd harness/galera && go run ./cluster
package main

import (
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/galera"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

func main() {
	os.Exit(live.Game{Target: galera.New(galera.Options{}), Name: "MariaDB with Galera", Boot: 5 * time.Minute}.Main())
}
