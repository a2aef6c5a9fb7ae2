package chaos

import (
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// NodeLog is the end of the log output of a node.
type NodeLog struct {
	Node string `json:"node"`
	End  string `json:"end"`
}

// mostLog is how many bytes of each log a failure has.
const mostLog = 4 << 10

// logsOf returns the ends of the logs of all nodes, or none if the target keeps no logs.
func logsOf(c *harness.Cluster) (logs []NodeLog) {
	if !c.Can(target.Logs) {
		return nil
	}
	for _, node := range c.Nodes() {
		end, err := node.Log(mostLog)
		if err != nil {
			end = err.Error()
		}
		logs = append(logs, NodeLog{node.String(), end})
	}
	return logs
}

// logText is the logs in words, "" if there are none.
func logText(logs []NodeLog) string {
	var b strings.Builder
	for _, l := range logs {
		if l.End == "" {
			fmt.Fprintf(&b, "The log of %s is empty.\n\n", l.Node)
			continue
		}
		fmt.Fprintf(&b, "The end of the log of %s:\n", l.Node)
		for line := range strings.Lines(l.End) {
			fmt.Fprintf(&b, "  %s\n", strings.TrimRight(line, "\r\n"))
		}
		b.WriteString("\n")
	}
	return b.String()
}
