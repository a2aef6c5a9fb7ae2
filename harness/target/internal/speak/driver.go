package speak

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/httpsql"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// open opens the driver. A driver dials by itself; where dial is given, it is led to a port of this process, which
// forwards to the node.
func (d *Database) open(node described.Node, address string, dial httpsql.Dial, in dialect.Dialect) (SQL, error) {
	var through io.Closer = nothing{}
	node.Address = address
	if dial != nil {
		f, err := forward(address, dial)
		if err != nil {
			return nil, err
		}
		through, node.Address = f, f.listener.Addr().String()
	}
	dsn, err := described.Render(d.dsn, node)
	if err != nil {
		return nil, errors.Join(err, through.Close())
	}
	db, err := sqldb.Open(d.about.Driver.Name, dsn, sqldb.Options{Node: node.Name, Judge: d.judge, Dialect: in, Timeout: longest})
	if err != nil {
		return nil, errors.Join(err, through.Close())
	}
	return opened{db, through}, nil
}

type nothing struct{}

func (nothing) Close() error { return nil }

// opened is a database whose connections go through a forwarder.
type opened struct {
	target.SQL
	through io.Closer
}

func (o opened) Close() error {
	return errors.Join(o.SQL.(io.Closer).Close(), o.through.Close())
}

// forwarder passes connections on to an address.
type forwarder struct {
	listener net.Listener
	ctx      context.Context
	end      context.CancelFunc
	all      sync.WaitGroup
}

func forward(address string, dial httpsql.Dial) (*forwarder, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &forwarder{listener: listener}
	f.ctx, f.end = context.WithCancel(context.Background())
	f.all.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil { // closed
				return
			}
			f.all.Go(func() { f.pass(from, address, dial) })
		}
	})
	return f, nil
}

// pass copies both ways until one side ends.
func (f *forwarder) pass(from net.Conn, address string, dial httpsql.Dial) {
	defer from.Close()
	to, err := dial(f.ctx, "tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	stop := context.AfterFunc(f.ctx, func() { _, _ = from.Close(), to.Close() })
	defer stop()
	var both sync.WaitGroup
	copyTo := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_, _ = from.Close(), to.Close()
	}
	both.Go(func() { copyTo(to, from) })
	both.Go(func() { copyTo(from, to) })
	both.Wait()
}

// Close ends all connections, and blocks until no goroutine is left.
func (f *forwarder) Close() error {
	err := f.listener.Close()
	f.end()
	f.all.Wait()
	return err
}
