package live

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is the main function of a command that plays with clusters of one target, with the flags -nodes and -page. It plays until
// Ctrl-C, SIGTERM or SIGHUP, and returns the exit code.
func (g Game) Main() int {
	flags := flag.NewFlagSet(os.Args[0], flag.ContinueOnError)
	flags.IntVar(&g.Nodes, "nodes", g.Nodes, "number of nodes; 0 is three")
	flags.IntVar(&g.Port, "page", g.Port, "port of the page on loopback; 0 is any free one")
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a closed terminal must not kill the command before its nodes have stopped
	if g.Out == nil {
		g.Out = os.Stdout
	}
	if g.Stopping == nil {
		g.Stopping = func() {
			stop() // a second signal kills the command
			fmt.Fprintln(g.Out, "\nstopping")
		}
	}
	fmt.Fprintf(g.Out, "booting %s; Ctrl-C stops it\n", g.Name)
	if err := Play(ctx, g); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		return 1
	}
	return 0
}
