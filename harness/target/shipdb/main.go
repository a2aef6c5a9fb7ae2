// Command shipdb is one node of a small replicated SQL database, made up for the proof of the test kit: an adapter for
// it is written from this page alone. Each node keeps SQLite files and ships a log of SQL text to the others over HTTP.
//
//	shipdb -name n0 -listen 127.0.0.1:4100 -dir /data/n0 -peers n0=127.0.0.1:4100,n1=127.0.0.1:4101,n2=127.0.0.1:4102
//
// The flags:
//
//	-name      the name of the node; it is one of -peers
//	-listen    host:port for clients and for the other nodes
//	-dir       the directory of its files, which is created if it is missing
//	-peers     all members, this node included, as name=host:port; the list is the same on every node and never changes
//	-election  the least election timeout, default 150ms; the greatest is twice as long
//	-bug       plants a bug: early, again or deposed (see Bugs)
//
// The node prints "serving" to stdout when it answers. SIGTERM and SIGINT end it with exit code 0. It may be killed at
// any time, and continues from its directory. A node that has lost its directory must not come back.
//
// # Requests
//
// A request is a POST with a JSON body, and may be sent to any node. Its statements are one transaction: all of them, or
// none. Each has exactly one SQL statement of SQLite's dialect in sql, and values for its ? in args.
//
//	POST /exec   {"statements": [{"sql": "INSERT INTO t VALUES (?, ?)", "args": [1, "one"]}]}
//	POST /query  {"statements": [{"sql": "SELECT * FROM t"}], "read": "leader"}
//
// /exec changes data. It is answered after a majority has the statements on disk and the leader has executed them. A
// node that does not lead passes the request on to the leader. A request that is sent twice is executed twice.
//
// /query reads. A statement that writes is refused. read is "local" (the default): the node's own rows, which may be
// old; or "leader": the node passes the request on to the leader, which asks a majority whether it still leads, and
// answers with everything that was acknowledged before the request came.
//
// Both answer with one result per statement. affected is 0 for statements that change no rows. index is the position of
// the request in the log; a query has none.
//
//	200  {"index": 7, "results": [{"columns": ["id", "name"], "types": ["INTEGER", "TEXT"], "rows": [[1, "one"]], "affected": 0}]}
//
// Values in args and rows: null; an integer of 64 bits is a number; text is a string; a real is {"real": "1.5"}, in the
// syntax of strconv.ParseFloat, infinities included; a blob is {"blob": "base64"}. The columns of a statement without
// rows are []. A type is the declared type of the column in upper case; "" for an expression.
//
// # Errors
//
//	503  {"error": {"code": "no_leader", "message": "…", "applied": "no"}}
//
// applied is "no", or "unknown" if the statements may have been executed, or may still be. The codes:
//
//	status  code        applied  meaning
//	400     bad_request no       the body is not as described above
//	400     refused     no       transaction control, ATTACH, PRAGMA, VACUUM, or a write in a query
//	400     constraint  no       a constraint failed
//	400     sql         no       any other error of SQLite; message is SQLite's
//	503     no_leader   no       the node knows no leader, or cannot reach it; try again
//	503     no_quorum   no       a leader read was not confirmed within 2 seconds; try again
//	503     replaced    no       another leader discarded the request; try again
//	504     timeout     unknown  no majority within 2 seconds
//	502     lost        unknown  the connection to the leader broke
//
// # Status
//
//	GET /status  {"name": "n0", "role": "leader", "leader": "n0", "term": 3, "commit": 9, "applied": 9, "last": 9}
//
// role is leader, follower or candidate; leader is "" if the node knows none. commit is the last entry of the log that
// the node knows to be on a majority, applied the last that it has executed, last the last that it has. The status is
// the node's own view: after a restart commit is 0 until a leader tells it. A leader that hears from no majority for
// an election timeout becomes a follower.
//
// # Promises
//
// Writes and leader reads are linearizable. An acknowledged write survives if a majority of the disks does. Nodes
// execute the same statements in the same order. A statement with random() or the present time (CURRENT_TIMESTAMP,
// 'now') gives other values on each node: do not use it. Tables whose names begin with ship_ are the database's own.
// The log is never shortened.
//
// # Bugs
//
// -bug=early counts one node too few for a majority. -bug=again saves the applied position apart from the rows, and
// not at once. -bug=deposed answers leader reads without asking the others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

type config struct {
	name, listen, dir string
	peers             map[string]string // address by name, this node included
	election          time.Duration
	bug               string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := configure(os.Args[1:])
	if err == nil {
		err = run(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shipdb:", err)
		os.Exit(1)
	}
}

func configure(args []string) (config, error) {
	var c config
	var peers string
	flags := flag.NewFlagSet("shipdb", flag.ExitOnError)
	flags.StringVar(&c.name, "name", "", "name of the node")
	flags.StringVar(&c.listen, "listen", "", "host:port of the node")
	flags.StringVar(&c.dir, "dir", "", "directory of the node's files")
	flags.StringVar(&peers, "peers", "", "all members, as name=host:port,…")
	flags.DurationVar(&c.election, "election", 150*time.Millisecond, "the least election timeout")
	flags.StringVar(&c.bug, "bug", "", "plant a bug: early, again or deposed")
	_ = flags.Parse(args) // ExitOnError
	c.peers = make(map[string]string)
	for peer := range strings.SplitSeq(peers, ",") {
		name, address, is := strings.Cut(peer, "=")
		if !is {
			return c, fmt.Errorf("-peers: %q is not name=host:port", peer)
		}
		c.peers[name] = address
	}
	switch {
	case c.peers[c.name] == "":
		return c, fmt.Errorf("-name: %q is not in -peers %s", c.name, peers)
	case c.dir == "" || c.listen == "":
		return c, errors.New("-dir and -listen must be given")
	case c.election <= 0:
		return c, fmt.Errorf("-election: %v is not positive", c.election)
	case !slices.Contains([]string{"", early, again, deposed}, c.bug):
		return c, fmt.Errorf("-bug: there is no bug %q", c.bug)
	}
	return c, nil
}

// run serves until ctx ends.
func run(ctx context.Context, c config) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s, err := openStore(c.dir, c.bug)
	if err != nil {
		return err
	}
	n, err := newNode(c, s)
	if err != nil {
		return errors.Join(err, s.close())
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return errors.Join(err, s.close())
	}
	server := &http.Server{Handler: n.routes(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println("serving")
	err = n.run(ctx)
	err = errors.Join(err, server.Close())
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	n.client.CloseIdleConnections()
	return errors.Join(err, s.close())
}
