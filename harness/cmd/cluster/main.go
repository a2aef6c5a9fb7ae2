// Command cluster boots a cluster to poke at by hand, at the settings of
// ginkgo.yml (or of -config), and prints how. Ctrl-C stops it and leaves nothing.
//
//	go run ./harness/cmd/cluster -rejoin.nodes=5
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/settings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run() error {
	path := flag.String("config", "ginkgo.yml", "the file with the cluster's settings")
	flags := settings.Flags(flag.CommandLine)
	flag.Parse()
	loaded, err := settings.Load(*path, flags, settings.Environment(os.LookupEnv, os.Environ()), settings.Targets("local"))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c, err := boot(ctx, loaded.Cluster)
	if err != nil {
		return err
	}
	err = explain(ctx, c)
	if err == nil {
		<-ctx.Done()
		fmt.Println("\nstopping")
	}
	return errors.Join(err, c.Close())
}

func boot(ctx context.Context, s settings.Cluster) (*harness.Cluster, error) {
	booting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return harness.Boot(booting, local.New(local.FromSettings(s, os.Stderr)), harness.Size(s.Nodes))
}

func explain(ctx context.Context, c *harness.Cluster) error {
	fmt.Printf("%d nodes are online. Ctrl-C stops them.\n", c.Size())
	for i, node := range c.Nodes() {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("\nnode %d (%s), %s: http://%s\n", i, node.ID(), status.Role, status.Address)
		fmt.Printf("  curl -s http://%s/v1/api/sql -d '%s'\n", status.Address, example(i))
		fmt.Printf("  curl -s http://%s/v1/api/cluster/health\n", status.Address)
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
