package live

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Game is a cluster to play with, of any target. Target is required.
type Game struct {
	Target target.Target
	Name   string        // of the target, for people
	Nodes  int           // default 3
	Boot   time.Duration // how long a boot may take; default a minute
	Port   int           // of the page, on loopback; 0 is any free one, and a negative one is no page
	Out    io.Writer     // where the address of the page goes
	// Explain, if it is set, is called once the cluster has booted, and prints more about it.
	Explain func(context.Context, *harness.Cluster) error
	// Stopping, if it is set, is called when ctx has ended, before anything is closed.
	Stopping func()
}

// mostEvents is how many events the journal keeps, for judges that look at it after some time.
const mostEvents = 200_000

// Play boots the cluster, prints the address of its page, and blocks until ctx ends. Then it closes both. The token of the page is
// a new one each time.
func Play(ctx context.Context, g Game) (err error) {
	if g.Nodes == 0 {
		g.Nodes = 3
	}
	if g.Boot == 0 {
		g.Boot = time.Minute
	}
	booting, cancel := context.WithTimeout(ctx, g.Boot)
	defer cancel()
	c, err := harness.Boot(booting, g.Target, harness.Size(g.Nodes), harness.Journal(journal.New(mostEvents)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if g.Port >= 0 {
		server, err := Listen(c, g.Port, Options{Token: rand.Text(), Target: g.Name})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		if _, err := fmt.Fprintf(g.Out, "Play with the cluster in a browser: %s\n\n", server.URL()); err != nil {
			return err
		}
	}
	if g.Explain != nil {
		if err := g.Explain(ctx, c); err != nil {
			return err
		}
	}
	<-ctx.Done()
	if g.Stopping != nil {
		g.Stopping()
	}
	return nil
}
