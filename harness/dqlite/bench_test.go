//go:build bench

package dqlite_test

import (
	"github.com/rejoin-db/rejoin/harness/bench/times"
)

// make bench TARGET=dqlite
var _ = times.Register(times.Options{Target: nodes})
