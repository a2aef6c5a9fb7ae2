// Command chaos plays schedules of faults on MariaDB with Galera, one after the other, until one of them breaks a promise or its time
// is over:
//
//	cd harness/galera && go run ./chaos -for 10m
//
// Its flags are those of chaos.Main. GALERA_KEPT names a folder that keeps the prepared disks for later runs, as for the suite.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/galera"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// kept is the variable by which the command tells its worker, which is itself, where the disks are.
const kept = "GALERA_KEPT"

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		code = 2
	}
	os.Exit(code)
}

func run() (code int, err error) {
	if err := galera.Supported(); err != nil {
		return 0, err
	}
	folder := os.Getenv(kept)
	if folder == "" {
		dir, failed := rundir.New("", "galera-")
		if failed != nil {
			return 0, failed
		}
		defer func() { err = errors.Join(err, dir.Remove()) }()
		folder = dir.Path()
		if err := os.Setenv(kept, folder); err != nil {
			return 0, err
		}
	}
	// Lists and pairs are left out: they take automatic keys for the order of the transactions, and each node has keys of its own.
	space := chaos.Real()
	space.Kinds = nemesis.All()
	space.Workloads = []string{"bank", "counter", "ddl", "register", "set", "unique"}
	return chaos.Hunt{
		Target: galera.New(galera.Options{Kept: folder}), Name: "galera", Journals: "reports/journals",
		Space: space, Options: chaos.Options{Patience: 2 * time.Minute},
	}.Main(), nil
}
