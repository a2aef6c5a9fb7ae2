//go:build !linux

package hosts

import (
	"context"
	"errors"
	"io"
	"net"
)

var errSystem = errors.New("hosts need Linux, whose namespaces they are: run the suite there, or in a Linux container with --privileged")

// Supported returns nil, or an error: one sentence that says why hosts cannot be made on this machine, and the remedy.
func Supported() error { return errSystem }

func system() error { return errSystem }

func explain(err error) error { return err }

// DialContext returns the error of Supported.
func (h *Host) DialContext(context.Context, string, string) (net.Conn, error) { return nil, errSystem }

// Listen returns the error of Supported.
func (h *Host) Listen(context.Context, int) (net.Listener, error) { return nil, errSystem }

type output struct{}

func (h *Host) output(io.Writer) (*output, error) { return nil, errSystem }
func (*output) descriptor() int                   { return -1 }
func (*output) started(bool) error                { return errSystem }
func (*output) ended()                            {}
