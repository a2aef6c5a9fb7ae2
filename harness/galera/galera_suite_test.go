package galera_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/galera"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/settings"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/lasting"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// options are the settings of the suite, by GALERA_SETTING.
func options(t *testing.T) galera.Options {
	switch named := os.Getenv("GALERA_SETTING"); named {
	case "", "snapshot":
		return galera.Options{}
	case "default":
		return galera.Options{LostUpdates: true, StaleReads: true}
	default:
		t.Fatalf("GALERA_SETTING is %q: it is snapshot or default", named)
		return galera.Options{}
	}
}

// keeping is a target whose clusters begin with the disks of an earlier one.
type keeping struct{ options galera.Options }

func (k keeping) Boot(ctx context.Context, size int) (target.Cluster, error) {
	folder := filepath.Join(kept, strings.Trim(strings.ReplaceAll(fmt.Sprint(k.options), " ", "-"), "{-}"))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	k.options.Kept = folder
	return galera.New(k.options).Boot(ctx, size)
}

// Foretell tells what clusters cannot do.
func (k keeping) Foretell() target.Cluster {
	return galera.New(k.options).(target.Foreteller).Foretell()
}

// kept has the disks of the first cluster of each setting and size.
var kept string

// prepare has the folder made, if REJOIN_TARGET asks for Galera: the suite takes minutes, and ginkgo -r runs all packages.
func prepare(asked bool) {
	SynchronizedBeforeSuite(func() []byte {
		if !asked {
			Skip("set REJOIN_TARGET=galera to run the suite on MariaDB with Galera")
		}
		if err := galera.Supported(); err != nil {
			Skip(err.Error())
		}
		if dir := os.Getenv("GALERA_KEPT"); dir != "" { // of earlier runs with the same my.cnf
			return []byte(dir)
		}
		dir, err := rundir.New("", "galera-") // the next run removes it if this one is killed
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(dir.Remove)
		return []byte(dir.Path())
	}, func(dir []byte) { kept = string(dir) })
}

func TestGalera(t *testing.T) {
	new := keeping{options(t)}
	over := lasting.New(new, lasting.Options{Reset: galera.Reset})
	t.Cleanup(func() {
		if err := over.Close(); err != nil {
			t.Error(err)
		}
	})
	findings.Of("galera", version())
	suite := specs.Load(t, settings.Targets("local", "galera"))
	prepare(suite.Settings.Cluster.Target == "galera")
	targettest.Register(new, targettest.Options{Patience: time.Minute, Each: 5 * time.Minute, Quiet: over.CloseIdle})
	specs.Register(specs.Options{Target: over, Pace: pace})
	suite.Run(t, "Galera")
}

// version is that of MariaDB's package and of Galera's, or what is missing.
func version() string {
	said, err := exec.Command("dpkg-query", "--show", "--showformat=${source:Upstream-Version} ", "mariadb-server", "galera-4").Output()
	both := strings.Fields(string(said))
	if err != nil || len(both) != 2 {
		return "not installed by Debian's packages"
	}
	return fmt.Sprintf("4 (MariaDB %s, Galera %s)", both[1], both[0])
}

// pace is how fast a cluster with the timers of my.cnf is.
var pace = specs.Pace{Election: time.Second, Failover: 12 * time.Second, Write: 6 * time.Second, Wait: 90 * time.Second, Spec: 5 * time.Minute}
