package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/targettest"
	"github.com/rejoin-db/rejoin/specs"
)

// built is shipdb with the program that the suite has built, which does not exist yet when specs are declared.
type built struct{ bug string }

func (b built) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if err := hosts.Supported(); err != nil {
		Skip(err.Error())
	}
	return NewShipdb(binary, b.bug).Boot(ctx, size)
}

// TestRecovery runs the whole suite on shipdb with the bug that the environment names; empty is none. A run without a bug
// takes 5 minutes on two cores, and must find none:
//
//	SHIPDB_BUG= go tool ginkgo -p ./harness/target/shipdb
func TestRecovery(t *testing.T) {
	bug, is := theirBug()
	if !is {
		t.Skip("set SHIPDB_BUG to run the suite: empty, or one of early, again, deposed")
	}
	suite := specs.Load(t)
	specs.Register(specs.Options{Target: built{bug}, Nodes: suite.Settings.Cluster.Nodes, Pace: pace})
	suite.Run(t, "Recovery")
}

// pace is that of the election timeout which the adapter sets. A request waits for a majority for 2 seconds.
var pace = specs.Pace{Election: 500 * time.Millisecond, Failover: 3 * time.Second, Write: 2 * time.Second, Wait: time.Minute,
	Spec: 5 * time.Minute}

var _ = ours("The adapter", func() { targettest.Register(built{}) })

// finders are the specs that find the bugs of shipdb. No other spec finds again: the others send request IDs, and the table of
// IDs keeps a database that executes an entry twice from doing harm.
var finders = map[string]string{
	"early":   "when a minority is isolated the same holds for a leader with an uncommitted entry in its log",
	"again":   "A crash under load of all nodes applies no change again, even one without a request ID",
	"deposed": "when a leader is paused and resumes after another was elected serves no stale strong read",
}

var _ = ours("The suite", Serial, func() {
	for bug, finder := range finders {
		It("finds the bug "+bug, func(ctx SpecContext) {
			ran := suite(ctx, bug, finder)
			Expect(ran).To(HaveKeyWithValue(ContainSubstring(finder), types.SpecStateFailed))
		}, SpecTimeout(4*time.Minute))
	}

	It("finds no bug in the correct program", func(ctx SpecContext) {
		var all []string
		for _, finder := range finders {
			all = append(all, finder)
		}
		ran := suite(ctx, "", all...)
		Expect(ran).To(HaveLen(len(finders)))
		Expect(ran).To(HaveEach(types.SpecStatePassed))
	}, SpecTimeout(4*time.Minute))
})

// suite runs specs of the suite in another process, and returns the state of each that ran, by its text.
func suite(ctx context.Context, bug string, texts ...string) map[string]types.SpecState {
	GinkgoHelper()
	if err := hosts.Supported(); err != nil {
		Skip(err.Error())
	}
	for i, text := range texts {
		texts[i] = regexp.QuoteMeta(text)
	}
	dir := GinkgoT().TempDir()
	path := filepath.Join(dir, "report.json")
	test, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	cmd := exec.CommandContext(ctx, test, "-test.run=^TestRecovery$", "-ginkgo.focus=("+strings.Join(texts, "|")+")$",
		"-ginkgo.json-report="+path, "-ginkgo.no-color")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, GinkgoWriter, GinkgoWriter
	cmd.Env = append(os.Environ(), "SHIPDB="+binary, "SHIPDB_BUG="+bug)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it leaves no process
	cmd.WaitDelay = 10 * time.Second
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		Fail(fmt.Sprint("run the suite: ", err))
	}
	content, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred(), "the suite wrote no report")
	var reports []types.Report
	Expect(json.Unmarshal(content, &reports)).To(Succeed())
	ran := make(map[string]types.SpecState)
	for _, report := range reports {
		for _, spec := range report.SpecReports.WithLeafNodeType(types.NodeTypeIt) {
			if spec.State != types.SpecStateSkipped || spec.Failure.Message != "" {
				ran[spec.FullText()] = spec.State
			}
		}
	}
	return ran
}
