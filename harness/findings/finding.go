package findings

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Label is the label of the specs that It declares.
const Label = "finding"

// Layer is the part of a database that is wrong.
type Layer string

// The layers.
const (
	Server Layer = "server" // the program that holds the data
	Driver Layer = "driver" // the library by which an application talks to it
)

// Finding is what a spec shows.
type Finding struct {
	// Title says what happens, in a sentence without a full stop.
	Title string `json:"title"`
	// Setting is the setting of the database in which it happens, such as "defaults".
	Setting string `json:"setting"`
	// Claim is what the finding breaks, or where the makers say that it is not promised; with its source.
	Claim string `json:"claim"`
	// Expected tells that the makers document it as not promised.
	Expected bool `json:"expected"`
	// Layer is the part that is wrong.
	Layer Layer `json:"layer"`
	// Upstream is the address of the issue of the makers; empty if none is known.
	Upstream string `json:"upstream,omitempty"`
}

// Validate returns an error for a finding that does not say all that a reader must know.
func (f Finding) Validate() error {
	switch {
	case f.Title == "" || strings.HasSuffix(f.Title, "."):
		return fmt.Errorf("finding %q: its title must be a sentence without a full stop", f.Title)
	case f.Setting == "":
		return fmt.Errorf("finding %q: it names no setting of the database, such as defaults", f.Title)
	case f.Claim == "":
		return fmt.Errorf("finding %q: it names no claim of the makers, with its source", f.Title)
	case f.Layer != Server && f.Layer != Driver:
		return fmt.Errorf("finding %q: its layer is %q; allowed are %s and %s", f.Title, f.Layer, Server, Driver)
	}
	return nil
}

// subject is the database of a suite.
type subject struct{ database, version string }

// suite is the subject of this program's suite: Ginkgo runs one suite in a process.
var suite atomic.Pointer[subject]

// Of names the database of the suite, and its version with all parts that matter. Call it before the first finding runs, such as
// in the test function or in BeforeSuite. The last call wins. It may be called concurrently.
func Of(database, version string) { suite.Store(&subject{database, version}) }

// It declares a spec that shows a finding. The arguments are Ginkgo's decorators, such as SpecTimeout. The spec passes if body
// calls Show.Seen and returns, and fails if it does not. The result is always true, so that It can be called at the top level.
func It(f Finding, body func(ctx ginkgo.SpecContext, show *Show), decorators ...any) bool {
	return ginkgo.It(f.Title, append([]any{ginkgo.Label(Label), ginkgo.Offset(1), func(ctx ginkgo.SpecContext) {
		Expect(f.Validate()).To(Succeed())
		of := suite.Load()
		Expect(of).NotTo(BeNil(), "findings.Of was not called: the database has no name and no version")
		show := &Show{finding: f, of: *of}
		ginkgo.DeferCleanup(show.record)
		progress("%s", f.Title)
		body(ctx, show)
		if show.seen == "" {
			progress("not seen")
			ginkgo.Fail("not seen: " + f.Title)
		}
	}}, decorators...)...)
}

// Mark begins the lines by which a spec tells how far it is, on GinkgoWriter.
const Mark = "finding: "

func progress(format string, args ...any) { ginkgo.GinkgoWriter.Printf(Mark+format+"\n", args...) }
