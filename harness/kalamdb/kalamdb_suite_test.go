package kalamdb_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/kalamdb"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// server is the program on which REJOIN_TARGET=kalamdb runs the suite. Conformance runs on the fake where it is not named.
var server = os.Getenv("KALAMDB")

// asked tells whether REJOIN_TARGET asks for KalamDB: the suite takes minutes, and ginkgo -r runs all packages.
var asked bool

func TestKalamDB(t *testing.T) {
	suite := specs.Load(t, settings.Targets("local", "kalamdb"))
	asked = suite.Settings.Cluster.Target == "kalamdb"
	if asked && server != "" {
		targettest.Register(nodes{}, targettest.Options{Patience: time.Minute, Each: 5 * time.Minute})
	} else {
		t.Setenv(fakeVariable, "yes")
		targettest.Register(fakes{})
	}
	if asked {
		specs.Register(specs.Options{Target: nodes{}, Pace: specs.Pace{Election: time.Second, Failover: 3 * time.Second}})
	}
	suite.Run(t, "KalamDB")
}

// nodes is KalamDB.
type nodes struct{ autocommit bool }

func (n nodes) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if server == "" {
		Skip("set KALAMDB to the path of a kalamdb-server to run the suite on it")
	}
	return boot(ctx, kalamdb.Options{Binary: server, Autocommit: n.autocommit}, size)
}

// Foretell tells what clusters cannot do, so that specs which need it are skipped without a boot.
func (nodes) Foretell() target.Cluster {
	return kalamdb.New(kalamdb.Options{}).(target.Foreteller).Foretell()
}

// fakes is the fake.
type fakes struct{}

func (fakes) Boot(ctx context.Context, size int) (target.Cluster, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return boot(ctx, kalamdb.Options{Binary: self}, size)
}

func boot(ctx context.Context, o kalamdb.Options, size int) (target.Cluster, error) {
	if err := kalamdb.Supported(); err != nil {
		Skip(err.Error())
	}
	return kalamdb.New(o).Boot(ctx, size)
}

// Without REJOIN_TARGET=kalamdb only the checks of requests and answers run, which take seconds; with it, all of them.
var _ = BeforeEach(func() {
	text := CurrentSpecReport().LeafNodeText
	for _, quick := range []string{"keeps values exact", "transaction, in order", "not applied, and why", "isolates a node"} {
		if asked || strings.Contains(text, quick) {
			return
		}
	}
	Skip("set REJOIN_TARGET=kalamdb to run all checks on the fake")
})
