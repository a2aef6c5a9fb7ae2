package dqlite_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/dqlite"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

func TestDqlite(t *testing.T) {
	suite := specs.Load(t, settings.Targets("local", "dqlite"))
	asked = suite.Settings.Cluster.Target == "dqlite"
	targettest.Register(nodes)
	specs.Register(specs.Options{Target: nodes, Pace: specs.Pace{Election: nodes.latency * 15, Failover: 2 * time.Second}})
	suite.Run(t, "Dqlite")
}

// asked tells whether REJOIN_TARGET asks for dqlite: the suite takes minutes, and ginkgo -r runs all packages.
var asked bool

// nodes is the target of the specs.
var nodes = &built{latency: 20 * time.Millisecond}

// built is dqlite with the program that the suite has built, which does not exist yet when specs are declared.
type built struct {
	latency time.Duration
	binary  string
}

func (b *built) Boot(ctx context.Context, size int) (target.Cluster, error) {
	return dqlite.New(dqlite.Options{Binary: b.binary, Latency: b.latency, Snapshot: 128, Trailing: 128}).Boot(ctx, size)
}

// Foretell tells what nodes lack, so that specs which need it are skipped without a boot.
func (b *built) Foretell() target.Cluster {
	return dqlite.New(dqlite.Options{}).(target.Foreteller).Foretell()
}

var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	if !asked {
		Skip("set REJOIN_TARGET=dqlite to run the suite on dqlite")
	}
	binary, remove, err := dqlite.Build(ctx)
	if err != nil {
		Skip(err.Error())
	}
	removeBinary = remove
	return []byte(binary)
}, func(ctx SpecContext, binary []byte) {
	nodes.binary = string(binary)
	version, err := version(ctx)
	Expect(err).NotTo(HaveOccurred())
	findings.Of("dqlite", version)
}, NodeTimeout(5*time.Minute))

var removeBinary = func() error { return nil }

var _ = SynchronizedAfterSuite(func() {}, func() { Expect(removeBinary()).To(Succeed()) })
