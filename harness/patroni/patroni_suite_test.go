package patroni_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/patroni"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/lasting"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// keeping is a target whose clusters begin with the disks of an earlier one.
type keeping struct {
	mode  patroni.Mode
	etcd2 bool
}

func (k keeping) Boot(ctx context.Context, size int) (target.Cluster, error) {
	folder := filepath.Join(kept, fmt.Sprint(k.mode, k.etcd2))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return patroni.New(patroni.Options{Mode: k.mode, Etcd2: k.etcd2, Kept: folder}).Boot(ctx, size)
}

// Foretell tells what clusters in this mode cannot do.
func (k keeping) Foretell() target.Cluster {
	return patroni.New(patroni.Options{Mode: k.mode}).(target.Foreteller).Foretell()
}

// kept has the disks of the first cluster of each mode and size.
var kept string

// prepare has the folder made, if REJOIN_TARGET asks for Patroni: the suite takes minutes, and ginkgo -r runs all packages.
func prepare(asked bool) {
	SynchronizedBeforeSuite(func() []byte {
		if !asked {
			Skip("set REJOIN_TARGET=patroni to run the suite on PostgreSQL with Patroni")
		}
		if err := patroni.Supported(); err != nil {
			Skip(err.Error())
		}
		if dir := os.Getenv("PATRONI_KEPT"); dir != "" { // of earlier runs with the same patroni.yml
			return []byte(dir)
		}
		dir, err := os.MkdirTemp("", "rejoin-patroni-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		return []byte(dir)
	}, func(dir []byte) { kept = string(dir) })
}

func TestPatroni(t *testing.T) {
	mode, err := patroni.ModeOf(os.Getenv("PATRONI_MODE"))
	if err != nil {
		t.Fatal(err)
	}
	new := keeping{mode, os.Getenv("PATRONI_ETCD") != "3"} // else any spec that brings back a primary may show the finding of takeover_test.go
	over := lasting.New(new, lasting.Options{Reset: patroni.Reset})
	t.Cleanup(func() {
		if err := over.Close(); err != nil {
			t.Error(err)
		}
	})
	suite := specs.Load(t, settings.Targets("local", "patroni"))
	prepare(suite.Settings.Cluster.Target == "patroni")
	targettest.Register(new, targettest.Options{Patience: time.Minute, Each: 5 * time.Minute, Quiet: over.CloseIdle})
	specs.Register(specs.Options{Target: over, Pace: pace})
	suite.Run(t, "Patroni")
}

// pace is how fast a cluster with the timers of patroni.yml is.
var pace = specs.Pace{
	Election: time.Second, Failover: 12 * time.Second, Write: 6 * time.Second, Wait: 90 * time.Second, Spec: 5 * time.Minute,
}
