package galera_test

import (
	"context"
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
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// options are the settings of the suite, by REJOIN_GALERA.
func options(t *testing.T) galera.Options {
	switch named := os.Getenv("REJOIN_GALERA"); named {
	case "", "snapshot":
		return galera.Options{}
	case "default":
		return galera.Options{LostUpdates: true, StaleReads: true}
	default:
		t.Fatalf("REJOIN_GALERA is %q: it is snapshot or default", named)
		return galera.Options{}
	}
}

// prepared is a target whose database is made when the suite begins.
type prepared struct{ options galera.Options }

func (p prepared) Boot(ctx context.Context, size int) (target.Cluster, error) {
	p.options.Disk = disk
	return galera.New(p.options).Boot(ctx, size)
}

// disk is the database of which all nodes start.
var disk string

// prepare has the disk made, if REJOIN_TARGET asks for Galera: the suite takes minutes, and ginkgo -r runs all packages.
func prepare(asked bool) {
	SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
		if !asked {
			Skip("set REJOIN_TARGET=galera to run the suite on MariaDB with Galera")
		}
		if err := galera.Supported(); err != nil {
			Skip(err.Error())
		}
		dir, err := rundir.New("", "galera-") // the next run removes it if this one is killed
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(dir.Remove)
		Expect(os.Chmod(dir.Path(), 0o711)).To(Succeed())
		disk := filepath.Join(dir.Path(), "disk")
		Expect(os.Mkdir(disk, 0o755)).To(Succeed())
		Expect(galera.Prepare(ctx, disk)).To(Succeed())
		return []byte(disk)
	}, func(dir []byte) { disk = string(dir) }, NodeTimeout(2*time.Minute))
}

func TestGalera(t *testing.T) {
	over := prepared{options(t)}
	findings.Of("galera", version())
	suite := specs.Load(t, settings.Targets("local", "galera"))
	prepare(suite.Settings.Cluster.Target == "galera")
	targettest.Register(over, targettest.Options{Patience: time.Minute, Each: 5 * time.Minute})
	specs.Register(specs.Options{Target: over, Pace: pace})
	suite.Run(t, "Galera")
}

// version is that of MariaDB's package and of Galera's, or what is missing.
func version() string {
	said, err := exec.Command("dpkg-query", "--show", "--showformat=${Package} ${Version} ", "mariadb-server", "galera-4").Output()
	if err != nil {
		return "not installed by Debian's packages"
	}
	return strings.TrimSpace(string(said))
}

// pace is how fast a cluster with the timers of my.cnf is.
var pace = specs.Pace{Election: time.Second, Failover: 12 * time.Second, Write: 6 * time.Second, Wait: 90 * time.Second, Spec: 5 * time.Minute}
