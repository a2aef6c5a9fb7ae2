// Command dbnode is one node of the embedded database as an operator would run it: a program of its own with flags, a
// data directory and fixed ports. The specs of package external drive a cluster of them by a shell script.
//
//	dbnode -name n0 -dir /data/n0 -peers n0=127.0.0.1:7100,n1=127.0.0.1:7101 -admin 127.0.0.1:7200
//
// GET /cut?peers=n1,n2 on the admin port cuts the links on which this node dials those, and heals all others; -cut does
// the same from the start. A node is cut off when it has cut all others and they have cut it. Clients are not affected.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "dbnode:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	name := flag.String("name", "", "name of the node; it is one of -peers")
	dir := flag.String("dir", "", "data directory, which must exist")
	list := flag.String("peers", "", "all nodes, as name=host:port,…")
	away := flag.String("cut", "", "nodes that this one may not reach")
	admin := flag.String("admin", "", "host:port that takes /cut")
	flag.Parse()
	net := network.TCP()
	defer func() { err = errors.Join(err, net.Close()) }()
	var peers []embedded.Peer
	var endpoint network.Endpoint
	for peer := range strings.SplitSeq(*list, ",") {
		id, address, _ := strings.Cut(peer, "=")
		peers = append(peers, embedded.Peer{ID: id, Address: address})
		if id == *name {
			if endpoint, err = net.Join(id, address); err != nil {
				return err
			}
		} else if _, err = net.Remote(id, address); err != nil {
			return err
		}
	}
	links := &links{network: net, self: *name, peers: peers}
	if err := links.cut(*away); err != nil {
		return err
	}
	node, err := embedded.Start(embedded.Config{
		ID: *name, Dir: *dir, Endpoint: endpoint, Peers: peers, SnapshotThreshold: 256, SnapshotInterval: 50 * time.Millisecond,
		TrailingLogs: 64, Logger: hclog.New(&hclog.LoggerOptions{Name: *name, Level: hclog.Info}),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	mux := http.NewServeMux()
	mux.Handle("GET /cut", links)
	control := &http.Server{Addr: *admin, Handler: mux, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- control.ListenAndServe() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(node.Stop(leaving), control.Close())
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}

// links are the links on which the node dials others.
type links struct {
	network *network.Network
	self    string
	peers   []embedded.Peer
}

// cut cuts the links to the nodes in the list, and heals the others.
func (l *links) cut(list string) error {
	var errs []error
	for _, peer := range l.peers {
		action := fault.Pass
		if slices.Contains(strings.Split(list, ","), peer.ID) {
			action = fault.Drop
		}
		errs = append(errs, l.network.Cut(action, l.self, peer.ID), l.network.Cut(action, peer.ID, l.self))
	}
	return errors.Join(errs...)
}

func (l *links) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := l.cut(r.URL.Query().Get("peers")); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}
