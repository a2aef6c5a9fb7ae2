package patroni_test

import (
	"context"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/patroni"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// mode is the mode of the suite, by REJOIN_PATRONI.
func mode(t *testing.T) patroni.Mode {
	switch named := os.Getenv("REJOIN_PATRONI"); named {
	case "asynchronous":
		return patroni.Asynchronous
	case "", "synchronous":
		return patroni.Synchronous
	case "strict":
		return patroni.Strict
	default:
		t.Fatalf("REJOIN_PATRONI is %q: it is asynchronous, synchronous or strict", named)
		return 0
	}
}

// prepared is a target whose database is made when the suite begins.
type prepared struct{ mode patroni.Mode }

func (p prepared) Boot(ctx context.Context, size int) (target.Cluster, error) {
	return patroni.New(patroni.Options{Mode: p.mode, Disk: disk}).Boot(ctx, size)
}

// disk is the database of which all nodes start.
var disk string

// prepare has the disk made, if REJOIN_TARGET asks for Patroni: the suite takes minutes, and ginkgo -r runs all packages.
func prepare(asked bool) {
	SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
		if !asked {
			Skip("set REJOIN_TARGET=patroni to run the suite on PostgreSQL with Patroni")
		}
		if err := patroni.Supported(); err != nil {
			Skip(err.Error())
		}
		dir, err := os.MkdirTemp("", "rejoin-patroni-")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.RemoveAll, dir)
		Expect(os.Chmod(dir, 0o711)).To(Succeed())
		Expect(patroni.Prepare(ctx, dir)).To(Succeed())
		return []byte(dir)
	}, func(dir []byte) { disk = string(dir) }, NodeTimeout(2*time.Minute))
}

func TestPatroni(t *testing.T) {
	over := prepared{mode(t)}
	suite := specs.Load(t, settings.Targets("local", "patroni"))
	prepare(suite.Settings.Cluster.Target == "patroni")
	targettest.Register(over, targettest.Options{Patience: time.Minute, Each: 5 * time.Minute})
	specs.Register(specs.Options{Target: over, Pace: pace})
	suite.Run(t, "Patroni")
}

// pace is how fast a cluster with the timers of patroni.yml is.
var pace = specs.Pace{Election: time.Second, Failover: 12 * time.Second, Write: 6 * time.Second, Wait: 90 * time.Second, Spec: 5 * time.Minute}
