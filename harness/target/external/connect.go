package external

import (
	"io"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
)

// connection executes SQL at an endpoint of a node.
type connection interface {
	target.SQL
	io.Closer
}

// connect returns a connection to a node at an address. It contacts nothing yet.
func (t *Target) connect(about described.Node, address string) (connection, error) {
	return t.api.New(about, address, nil), nil
}
