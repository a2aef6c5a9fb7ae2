// Command cluster boots a cluster for manual experiments, with the settings of ginkgo.yml (or -config), and prints
// how to use it. Ctrl-C, SIGTERM, SIGHUP and the end of the go command that runs it stop the cluster and remove its
// files. If the command is killed, the next one removes its files.
//
//	go run ./harness/cmd/cluster -rejoin.nodes=5
//
// Requests need a token. The command generates and prints one, unless -token gives one. With -open requests need no
// token: all clients that can reach the ports have access.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
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
	path := flag.String("config", "ginkgo.yml", "file with the cluster's settings")
	token := flag.String("token", "", "token that requests need; generated and printed by default")
	open := flag.Bool("open", false, "require no token: all clients that reach the ports can read and change everything")
	flags := settings.Flags(flag.CommandLine)
	flag.Parse()
	loaded, err := settings.Load(*path, flags, settings.Environment(os.LookupEnv, os.Environ()), settings.Targets("local"))
	if err != nil {
		return err
	}
	if *token, err = tokenOf(*token, *open); err != nil {
		return err
	}
	// A terminal that closes sends SIGHUP. SIGPIPE must not kill the command before its nodes have stopped.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	ctx, forget := whileGoRuns(ctx)
	defer forget()
	c, err := boot(ctx, loaded.Cluster, *token)
	if err != nil {
		return err
	}
	err = explain(ctx, os.Stdout, c, *token)
	if err == nil {
		<-ctx.Done()
		stop() // a second signal kills the command
		fmt.Println("\nstopping")
	}
	return errors.Join(err, c.Close())
}

// tokenOf returns the given token, a new one, or "" if the cluster is open.
func tokenOf(given string, open bool) (string, error) {
	switch {
	case open && given != "":
		return "", errors.New("-open and -token exclude each other")
	case open || given != "":
		return given, nil
	}
	return rand.Text(), nil
}

func boot(ctx context.Context, s settings.Cluster, token string) (*harness.Cluster, error) {
	booting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	options := local.FromSettings(s, os.Stderr)
	options.Token = token
	return harness.Boot(booting, local.New(options), harness.Size(s.Nodes))
}

// explain prints the nodes, and example requests.
func explain(ctx context.Context, out io.Writer, c *harness.Cluster, token string) error {
	fmt.Fprintf(out, "%d nodes are online. Ctrl-C stops them.\n", c.Size())
	for i, node := range c.Nodes() {
		status, err := node.Status(ctx)
		if err != nil {
			return err
		}
		curl := "curl -s"
		if token != "" {
			curl += " -H " + quote("Authorization: Bearer "+token)
		}
		fmt.Fprintf(out, "\nnode %d (%s), %s: http://%s\n", i, node.ID(), status.Role, status.Address)
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
