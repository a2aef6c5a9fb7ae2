//go:build libsqlite3

// Command node is a node of dqlite: the program of the nodes of package dqlite.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/canonical/go-dqlite"
	"github.com/google/renameio"
)

// own is the abstract socket at which dqlite itself listens.
const own = "@dqlite"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM.
func run() error {
	index := flag.Int("index", 0, "the `number` of the node, from 0")
	bootstrap := flag.Bool("bootstrap", false, "found a cluster, in an empty folder")
	listen := flag.String("listen", "", "the `address` at which other nodes and clients reach it")
	relay := flag.String("relay", "", "the `address` at which it connects its clients with other nodes")
	dir := flag.String("dir", "", "its `folder`, which must exist")
	latency := flag.Duration("latency", 0, "a heartbeat is sent every 1.5, and an election begins after 15 of it; 0 is dqlite's default")
	threshold := flag.Uint64("snapshot", 0, "how many log entries there are between two snapshots; 0 is dqlite's default")
	trailing := flag.Uint64("trailing", 0, "how many log entries are kept behind a snapshot; 0 is dqlite's default")
	flag.Parse()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	id, err := identity(*dir, *index, *bootstrap)
	if err != nil {
		return err
	}
	options := []dqlite.Option{dqlite.WithBindAddress(own), dqlite.WithDialFunc(func(ctx context.Context, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	})}
	if *latency > 0 {
		options = append(options, dqlite.WithNetworkLatency(*latency))
	}
	if *threshold > 0 || *trailing > 0 {
		options = append(options, dqlite.WithSnapshotParams(dqlite.SnapshotParams{Threshold: *threshold, Trailing: *trailing}))
	}
	node, err := dqlite.New(id, *listen, *dir, options...)
	if err != nil {
		return err
	}
	if err := node.Start(); err != nil {
		return err
	}
	hangUp, err := serve(*listen, *relay, own)
	if err != nil {
		return errors.Join(err, node.Close())
	}
	fmt.Println(time.Now().Format(time.TimeOnly), "node", id, "serves at", *listen)
	fmt.Println("stopping:", <-signals)
	hangUp()
	return node.Close()
}

// identity is the ID of the node, which lasts as long as its folder. A node with the ID 1 founds a cluster if its folder has
// none, so that ID is never given twice.
func identity(dir string, index int, bootstrap bool) (uint64, error) {
	file := filepath.Join(dir, "id")
	kept, err := os.ReadFile(file)
	if err == nil {
		return strconv.ParseUint(string(kept), 10, 64)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	id := uint64(index) + 2
	if bootstrap {
		id = dqlite.BootstrapID
	}
	return id, renameio.WriteFile(file, []byte(strconv.FormatUint(id, 10)), 0o600) // synced: an ID must not change
}
