package local

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Dial tells whether one node reaches another, or a client (-1) a node, over
// the links as they are now.
func Dial(ctx context.Context, c target.Cluster, from, to int) error {
	places := c.(*cluster)
	name := clientHost
	if from >= 0 {
		name = places.nodes[from].ID()
	}
	host, err := places.network.Host(name)
	if err != nil {
		return err
	}
	conn, err := host.DialContext(ctx, "tcp", places.nodes[to].running.Address())
	if err != nil {
		return err
	}
	return conn.Close()
}
