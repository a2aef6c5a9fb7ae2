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
	"github.com/rejoin-db/rejoin/harness/workload"
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
	space := chaos.Real()
	space.Kinds, space.Workloads = nemesis.All(), nil
	for _, w := range workload.Workloads("chaos") {
		if !workload.Ordered(w) { // each node has automatic keys of its own
			space.Workloads = append(space.Workloads, w.Name())
		}
	}
	return chaos.Hunt{
		Target: galera.New(galera.Options{Kept: folder}), Name: "galera", Journals: "reports/journals",
		Space: space, Options: chaos.Options{Patience: 2 * time.Minute},
	}.Main(), nil
}
