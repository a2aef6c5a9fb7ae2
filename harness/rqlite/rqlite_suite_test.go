package rqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/rqlite"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// rqlited is the program on which REJOIN_TARGET=rqlite runs the suite. Conformance runs on the fake where it is not named.
var rqlited = os.Getenv("RQLITED")

// election is the timeout of the nodes: a third of rqlite's own.
const election = 300 * time.Millisecond

// asked tells whether REJOIN_TARGET asks for rqlite: the suite takes minutes, and ginkgo -r runs all packages.
var asked bool

func TestRqlite(t *testing.T) {
	suite := specs.Load(t, settings.Targets("local", "rqlite"))
	asked = suite.Settings.Cluster.Target == "rqlite"
	if asked && rqlited != "" {
		findings.Of("rqlite", version(t))
		targettest.Register(nodes{})
	} else {
		t.Setenv(fakeVariable, "yes")
		targettest.Register(fakes{})
	}
	if asked {
		specs.Register(specs.Options{Target: nodes{}, Pace: specs.Pace{Election: election, Failover: 3 * time.Second, Write: 2 * time.Second}})
	}
	suite.Run(t, "Rqlite")
}

// told are the parts of what the program tells of itself that matter: its version, SQLite's, and the commit.
var told = regexp.MustCompile(`^rqlited (\S+) .*sqlite(\S+) \(commit (\w+)`)

// version is the version that the program tells of itself.
func version(t *testing.T) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), rqlited, "-version").CombinedOutput()
	if err != nil {
		t.Fatalf("ask %s for its version: %v", rqlited, err)
	}
	if parts := told.FindSubmatch(said); parts != nil {
		return fmt.Sprintf("%s (commit %s, SQLite %s)", parts[1], parts[3], parts[2])
	}
	return strings.TrimPrefix(strings.TrimSpace(string(said)), "rqlited ")
}

// nodes is rqlite with the timers of the suite.
type nodes struct{}

func (nodes) Boot(ctx context.Context, size int) (target.Cluster, error) {
	switch {
	case !asked:
		Skip("set REJOIN_TARGET=rqlite to run the suite on rqlite")
	case rqlited == "":
		Skip("set RQLITED to the path of an rqlited to run the suite on it")
	}
	return boot(ctx, rqlited, size)
}

// fakes is the fake.
type fakes struct{}

func (fakes) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if err := hosts.Supported(); err != nil {
		Skip(err.Error())
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return boot(ctx, self, size)
}

// Foretell tells what clusters cannot do, so that specs which need it are skipped without a boot.
func (nodes) Foretell() target.Cluster { return over("").(target.Foreteller).Foretell() }

func boot(ctx context.Context, binary string, size int) (target.Cluster, error) {
	return over(binary).Boot(ctx, size)
}

func over(binary string) target.Target {
	return rqlite.New(rqlite.Options{Binary: binary, Election: election, Snapshot: 128})
}

// Without REJOIN_TARGET=rqlite only the checks of requests and answers run, which take seconds; with it, all of them.
var _ = BeforeEach(func() {
	quick := []string{"keeps values exact", "transaction, in order", "not applied, and why", "an ID once", "isolates a node"}
	if text := CurrentSpecReport().LeafNodeText; !asked && !specsNamed(text, quick) {
		Skip("set REJOIN_TARGET=rqlite to run all checks on the fake")
	}
})

func specsNamed(text string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
