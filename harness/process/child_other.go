//go:build !linux

package process

import (
	"context"
	"errors"
)

// errNotFrozen is the error of freeze: only Linux tells when all threads of a process have stopped. The cluster is no
// target.Pauser here.
var errNotFrozen = errors.New("this system does not tell when all threads of a process have stopped")

func (c *childProcess) freeze(context.Context) error { return errNotFrozen }
func (c *childProcess) thaw(context.Context) error   { return errNotFrozen }
