// Command chaos plays schedules of faults on PostgreSQL with Patroni, one after the other, until one of them breaks a promise or
// its time is over:
//
//	cd harness/patroni && PATRONI_MODE=strict go run ./chaos -for 10m
//
// Its flags are those of chaos.Main. PATRONI_MODE is asynchronous, synchronous (the default) or strict, and PATRONI_KEPT a folder
// with the disks of clusters that were formed before. PATRONI_ETCD=3 has Patroni speak the third version of etcd's API, and shows the
// finding of takeover_test.go.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/patroni"
	"github.com/rejoin-db/rejoin/harness/target/lasting"
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		code = max(code, 2)
	}
	os.Exit(code)
}

func run() (code int, err error) {
	mode, err := patroni.ModeOf(os.Getenv("PATRONI_MODE"))
	if err != nil {
		return 0, err
	}
	if err := patroni.Supported(); err != nil {
		return 0, err
	}
	options := patroni.Options{Mode: mode, Etcd2: os.Getenv("PATRONI_ETCD") != "3", Kept: os.Getenv("PATRONI_KEPT")}
	over := lasting.New(patroni.New(options), lasting.Options{Reset: patroni.Reset})
	defer func() { err = errors.Join(err, over.Close()) }()
	return chaos.Hunt{Target: over, Name: "patroni", Journals: "reports/journals"}.Main(), nil
}
