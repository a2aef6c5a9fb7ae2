package external

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/target/described"
)

// Run runs a command line as the commands of a target are run.
func Run(ctx context.Context, line string) error {
	c, err := parseCommand("command", line, time.Minute)
	if err == nil {
		_, err = c.run(ctx, described.Subject{}, 0)
	}
	return err
}
