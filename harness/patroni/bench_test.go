//go:build bench

package patroni_test

import (
	"github.com/rejoin-db/rejoin/harness/bench/times"
	"github.com/rejoin-db/rejoin/harness/patroni"
)

// make bench TARGET=patroni
var _ = times.Register(times.Options{Target: keeping{patroni.Synchronous, true}})
