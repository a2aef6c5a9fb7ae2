package local

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/internal/inprocess"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Dial reports whether a node (or a client, -1) reaches a node over the links in their current state.
func Dial(ctx context.Context, c target.Cluster, from, to int) error {
	name := inprocess.ClientHost
	if from >= 0 {
		name = c.Nodes()[from].ID()
	}
	host, err := c.(*inprocess.Cluster).Network().Host(name)
	if err != nil {
		return err
	}
	status, err := c.Nodes()[to].Status(ctx)
	if err != nil {
		return err
	}
	conn, err := host.DialContext(ctx, "tcp", status.Address)
	if err != nil {
		return err
	}
	return conn.Close()
}
