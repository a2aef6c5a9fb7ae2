package main

import (
	"context"
	"fmt"
	"io"

	"github.com/rejoin-db/rejoin/harness"
)

// explain prints the nodes, and example requests where a client of this machine can send them.
func explain(ctx context.Context, out io.Writer, c *harness.Cluster, target, token string) error {
	fmt.Fprintf(out, "%d nodes are online. Ctrl-C stops them.\n", c.Size())
	for i, node := range c.Nodes() {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		role := status.Role
		if role == "" {
			role = "online"
		}
		if target != "local" && target != "process" {
			fmt.Fprintf(out, "node %d (%s), %s: %s\n", i, node.ID(), role, status.Address)
			continue
		}
		curl := "curl -s"
		if token != "" {
			curl += " -H " + quote("Authorization: Bearer "+token)
		}
		fmt.Fprintf(out, "\nnode %d (%s), %s: http://%s\n", i, node.ID(), role, status.Address)
		fmt.Fprintf(out, "  %s --json %s http://%s/v1/api/sql\n", curl, quote(example(i)), status.Address)
		fmt.Fprintf(out, "  %s http://%s/v1/api/cluster/health\n", curl, status.Address)
	}
	return nil
}

func example(i int) string {
	statements := []string{
		`{"sql": "CREATE NAMESPACE app; CREATE TABLE app.t (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)"}`,
		`{"sql": "INSERT INTO app.t (id) VALUES (?) RETURNING *", "params": [1]}`,
		`{"sql": "SELECT * FROM app.t", "consistency": "local"}`,
	}
	return statements[min(i, len(statements)-1)]
}
