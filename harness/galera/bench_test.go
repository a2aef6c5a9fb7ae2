//go:build bench

package galera_test

import (
	"github.com/rejoin-db/rejoin/harness/bench/times"
	"github.com/rejoin-db/rejoin/harness/galera"
)

var _ = times.Register(times.Options{Target: keeping{galera.Options{}}, Rounds: 3})
