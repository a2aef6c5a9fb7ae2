package main

import (
	"fmt"
	"runtime"

	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// The targets.
const (
	inVirtualTime = "virtual"
	inThisProcess = "local"
	inProcesses   = "process"
	onHosts       = "hosts"
)

// carrier returns a function that returns nil if the target can have the bug, and the reason why not otherwise.
func carrier(name string) (func(defects.Defect) error, error) {
	var t target.Target
	switch name {
	case inVirtualTime:
		t = virtual.New(virtual.Options{})
	case inThisProcess:
		t = local.New(local.Options{})
	case inProcesses:
		t = process.New(process.Options{})
	case onHosts:
		t = process.OnHosts(process.Options{})
	default:
		return nil, fmt.Errorf("unknown target %q: the targets are virtual, local, process and hosts", name)
	}
	return func(d defects.Defect) error {
		if d.Between && name != inVirtualTime {
			return fmt.Errorf("plant %s: a race between two goroutines is searched for in virtual time only", d.Name)
		}
		_, err := d.Plant(t)
		return err
	}, nil
}

// defaultJobs returns how many runs of the suite go on at once. On a real clock they would slow each other down.
func defaultJobs(target string) int {
	if target == inVirtualTime {
		return runtime.NumCPU()
	}
	return 1
}
