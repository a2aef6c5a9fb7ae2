// Package plain makes the targets that ginkgo.yml describes, without Go code: programs that the harness starts on hosts
// (package programs), or a cluster that runs already (package external).
package plain

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/external"
	"github.com/rejoin-db/rejoin/harness/target/programs"
)

// New returns the described target that the settings name. alone tells that it has one cluster, so that one spec at a
// time may run: Ginkgo's decorator Serial.
func New(s settings.Settings) (over target.Target, about described.Target, alone bool, err error) {
	name := s.Cluster.Target
	about, known := s.Targets[name]
	switch {
	case !known:
		err = fmt.Errorf("there is no described target %q; the file describes: %s", name, strings.Join(described.Names(s.Targets), ", "))
	case about.Programs != nil:
		over, err = programs.New(name, about)
	default:
		alone = true
		over, err = external.New(name, about)
	}
	return over, about, alone, err
}
