package chaos_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/chaos"
)

// ofAllKinds is a schedule with a fault of each kind.
func ofAllKinds() chaos.Schedule {
	s := chaos.Schedule{Seed: 3, Nodes: 3, Pace: time.Second, Workloads: []string{"register", "set"}, Clients: 2, Rate: 1.5, Length: time.Minute}
	for i, kind := range chaos.Kinds() {
		s.Faults = append(s.Faults, chaos.Fault{At: time.Duration(i) * 1500 * time.Millisecond, Lasts: time.Second, Kind: kind, Node: i % 3, Other: (i + 1) % 3, By: time.Millisecond})
	}
	s.Faults = append(s.Faults, chaos.Fault{Kind: chaos.LossyLink, Other: harness.Clients, Lasts: time.Hour})
	return s
}

// vet compiles the specs as files of a package of their own within the module.
func vet(ctx context.Context, specs ...string) {
	GinkgoHelper()
	Expect(os.MkdirAll("testdata", 0o755)).To(Succeed())
	dir, err := os.MkdirTemp("testdata", "printed-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	for i, spec := range specs {
		var imports strings.Builder
		for _, path := range append(chaos.Imports(spec), "github.com/rejoin-db/rejoin/harness") {
			if !strings.Contains(imports.String(), fmt.Sprintf("%q", path)) {
				fmt.Fprintf(&imports, "%q\n", path)
			}
		}
		code := fmt.Sprintf("package printed\n\nimport (\n. \"github.com/onsi/ginkgo/v2\"\n. \"github.com/onsi/gomega\"\n%s)\n\nvar _ = func(cluster *harness.Cluster) {\n%s\n}\n", &imports, spec)
		Expect(os.WriteFile(filepath.Join(dir, fmt.Sprintf("spec%d.go", i)), []byte(code), 0o644)).To(Succeed())
	}
	said, err := exec.CommandContext(ctx, "go", "vet", "./"+dir).CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s", said)
}

var _ = Describe("A schedule as a spec", func() {
	It("compiles, whatever the faults are", func(ctx SpecContext) {
		bounded := ofAllKinds()
		bounded.Most = 7
		alone := bounded
		alone.Faults = nil
		vet(ctx, chaos.Spec(ofAllKinds()), chaos.Spec(bounded), chaos.Spec(alone))
	}, patience)

	It("does what the schedule does, in order", func() {
		s := chaos.Schedule{Seed: 17, Nodes: 3, Pace: time.Second, Workloads: []string{"list"}, Clients: 2, Rate: 0.5, Most: 12, Length: time.Minute, Faults: []chaos.Fault{
			{At: 2 * time.Second, Lasts: 5 * time.Second, Kind: chaos.Crash, Node: 1},
			{At: 3 * time.Second, Lasts: time.Second, Kind: chaos.CutOneWay, Node: 0, Other: 2},
		}}
		Expect(chaos.Spec(s)).To(MatchRegexp(`(?s)seed 17.*over: crash, cut one way.*\[\]string\{"list"\}.*Clients: 2, Rate: 0.5, Most: 12` +
			`.*until\(2 \* time.Second\).*TakeNodeOffline\(ctx, 1, harness.Crash\).*until\(3 \* time.Second\).*Cut\(ctx, network.Drop, network.Way\[int\]\{From: 0, To: 2\}\)` +
			`.*until\(4 \* time.Second\).*Mend\(.*until\(7 \* time.Second\).*BringNodeOnline\(ctx, 1\).*Heal\(ctx\).*Finish\(ctx\).*VerifyInvariants`))
	})
})
