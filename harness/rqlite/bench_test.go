//go:build bench

package rqlite_test

import (
	"github.com/rejoin-db/rejoin/harness/bench/times"
)

// make bench TARGET=rqlite
var _ = times.Register(times.Options{Target: nodes{}})
