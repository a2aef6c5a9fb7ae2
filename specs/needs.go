package specs

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/target"
)

// A container has a label for what all of its specs need. A spec that would skip itself is then skipped before its cluster is booted, if
// the target is a target.Foreteller. A label filter can leave such specs out: '!needs:members'.
var (
	neededAbilities = map[string]target.Ability{
		"needs:clocks":       target.Clocks,
		"needs:diverge":      target.Diverge,
		"needs:members":      target.Members,
		"needs:transactions": target.Transactions,
		"needs:versions":     target.Versions,
	}
	neededAssumptions = map[string]target.Assumption{
		"needs:compacts":  target.Compacts,
		"needs:drains":    target.Drains,
		"needs:fail-stop": target.FailStop,
		"needs:http":      target.HTTPAPI,
		"needs:sqlite":    target.SQLite,
	}
)

// skipForetold skips the current spec if the target tells that its clusters lack what the labels of the spec name.
func skipForetold(t target.Target) {
	foreteller, foretells := t.(target.Foreteller)
	if !foretells {
		return
	}
	cluster := foreteller.Foretell()
	if cluster == nil {
		return
	}
	for _, label := range CurrentSpecReport().Labels() {
		ability, able := neededAbilities[label]
		assumption, assumed := neededAssumptions[label]
		switch {
		case able && !target.Can(cluster, ability):
			Skip(fmt.Sprintf("the target cannot %s", ability))
		case assumed && !target.Holds(cluster, assumption):
			Skip(fmt.Sprintf("the target does not declare that %s", assumption))
		case !able && !assumed && strings.HasPrefix(label, "needs:"):
			Fail(fmt.Sprintf("no need has the label %q", label))
		}
	}
}
