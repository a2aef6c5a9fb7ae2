// Command cluster boots a cluster for manual experiments, with the settings of ginkgo.yml (or -config), and serves a page to play
// with it: its address comes first. Then it prints how to use the nodes without the page. Ctrl-C, SIGTERM, SIGHUP and the end of the
// go command that runs it stop the cluster and remove its files. If the command is killed, the next one removes its files.
//
//	go run ./harness/cmd/cluster -rejoin.nodes=5
//	go run ./harness/cmd/cluster -rejoin.target=process
//
// The target is local, process, hosts, or one that the file describes. The page is on loopback, and its address has a token.
//
// Requests to the nodes of local and process need a token, too. The command generates and prints one, unless -token gives one. With
// -open requests need no token: all clients that can reach the ports have access.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/report/live"
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
	token := flag.String("token", "", "token that requests to nodes need; generated and printed by default")
	open := flag.Bool("open", false, "require no token: all clients that reach the ports can read and change everything")
	port := flag.Int("page", 0, "port of the page on loopback; 0 is any free one, and -1 is no page")
	flags := settings.Flags(flag.CommandLine)
	flag.Parse()
	environment := settings.Environment(os.LookupEnv, os.Environ())
	loaded, err := settings.Load(*path, flags, environment, settings.Targets(builtIn...), settings.Described())
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
	over, nodes, remove, err := targetOf(ctx, loaded, *token)
	if err != nil {
		return err
	}
	err = live.Play(ctx, live.Game{
		Target: over, Name: loaded.Cluster.Target, Nodes: nodes, Boot: longestBoot(loaded.Cluster.Target), Port: *port, Out: os.Stdout,
		Explain: func(ctx context.Context, c *harness.Cluster) error {
			return explain(ctx, os.Stdout, c, loaded.Cluster.Target, *token)
		},
		Stopping: func() {
			stop() // a second signal kills the command
			fmt.Println("\nstopping")
		},
	})
	return errors.Join(err, remove())
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

// longestBoot is how long a boot may take. A program of which the command knows nothing may need longer.
func longestBoot(target string) time.Duration {
	if target == "local" || target == "process" {
		return time.Minute
	}
	return 5 * time.Minute
}
