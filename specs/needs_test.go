package specs_test

import (
	"context"
	"errors"
	"os"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// unbootable is a target that tells what its clusters can do, and has none.
type unbootable struct{}

func (unbootable) Boot(context.Context, int) (target.Cluster, error) {
	return nil, errors.New("a cluster was booted")
}

func (unbootable) Foretell() target.Cluster { return able{} }

// able is a cluster that can isolate nodes, declares Drains, and is never used.
type able struct{ target.Cluster }

func (able) Declares() []target.Assumption { return []target.Assumption{target.Drains} }

// With this variable the program is a suite of specs on a target that cannot boot.
const beUnbootable = "TEST_UNBOOTABLE"

func TestUnbootable(t *testing.T) {
	if _, is := os.LookupEnv(beUnbootable); !is {
		t.Skip("this is the suite that TestForetold runs")
	}
	specs.Register(specs.Options{Target: unbootable{}})
	specs.Run(t, "Unbootable")
}

func TestForetold(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, labels string
		passes       bool
		says         string
	}{
		{"a spec that needs what is missing is skipped before a boot", "needs:members && needs:fail-stop && suite:identity", true,
			"the target cannot add and remove nodes"},
		{"an assumption that is missing likewise", "needs:sqlite && suite:names", true, "the target does not declare that statements"},
		{"what is there leads to a boot", "needs:drains", false, "a cluster was booted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			said, passed := run(t.Context(), t, []string{beUnbootable + "=yes", "REJOIN_JOURNALS=none", "REJOIN_LABEL_FILTER=" + c.labels}, self,
				"-test.run=^TestUnbootable$", "-ginkgo.no-color", "-ginkgo.v")
			g.Expect(passed).To(Equal(c.passes), said)
			g.Expect(said).To(ContainSubstring(c.says))
		})
	}
}
