// Command cluster boots a cluster to poke at by hand, at the settings of
// ginkgo.yml (or of -config), and prints how. Ctrl-C stops it and leaves nothing, as do
// SIGTERM and SIGHUP, and the end of the go command that runs it. What it leaves when it
// is killed, the next one removes.
//
//	go run ./harness/cmd/cluster -rejoin.nodes=5
//
// Requests must carry a token, which it draws and prints, unless -token gives one, or
// -open lets everybody in who reaches the ports.
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
	path := flag.String("config", "ginkgo.yml", "the file with the cluster's settings")
	token := flag.String("token", "", "the token that requests must carry; default one that is drawn and printed")
	open := flag.Bool("open", false, "ask for no token: everybody who reaches the ports can read and change everything")
	flags := settings.Flags(flag.CommandLine)
	flag.Parse()
	loaded, err := settings.Load(*path, flags, settings.Environment(os.LookupEnv, os.Environ()), settings.Targets("local"))
	if err != nil {
		return err
	}
	if *token, err = tokenOf(*token, *open); err != nil {
		return err
	}
	// SIGHUP is what a terminal sends that is closed. A pipe that is closed must not end
	// the command before its nodes are.
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
		stop() // a second signal ends the command at once
		fmt.Println("\nstopping")
	}
	return errors.Join(err, c.Close())
}

// tokenOf is the token that was given, or a new one, or none if the cluster is open.
func tokenOf(given string, open bool) (string, error) {
	switch {
	case open && given != "":
		return "", errors.New("-open asks for no token, and -token gives one: give one of the two")
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

// explain prints the nodes, with requests to try.
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
