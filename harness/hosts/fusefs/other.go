//go:build !linux

package fusefs

import (
	"context"
	"errors"
	"os"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// errLinux is returned where there is no implementation.
var errLinux = errors.New("a disk for any program is a FUSE file system, which is implemented for Linux only")

// Options configure a disk.
type Options struct {
	Aside  string
	Memory int64
	Flush  bool
	AsRoot bool
}

// Disk is a disk with faults over a directory.
type Disk struct{}

// New returns an error.
func New(string, Options) (*Disk, error) { return nil, errLinux }

// Set returns an error.
func (d *Disk) Set(fault.Disk) error { return errLinux }

// Faults returns the zero value.
func (d *Disk) Faults() fault.Disk { return fault.Disk{} }

// Torn returns false.
func (d *Disk) Torn() bool { return false }

// Hurry does nothing.
func (d *Disk) Hurry() (end func()) { return func() {} }

// Crash returns an error.
func (d *Disk) Crash() error { return errLinux }

// Damage returns an error.
func (d *Disk) Damage(string, int64) error { return errLinux }

// Refresh returns an error.
func (d *Disk) Refresh() error { return errLinux }

// Close returns an error.
func (d *Disk) Close() error { return errLinux }

// Mount is the file system as programs see it.
type Mount struct{}

// Attach returns an error.
func Attach(_, _ string) (*os.File, error) { return nil, errLinux }

// Mount returns an error.
func (d *Disk) Mount(string) (*Mount, error) { return nil, errLinux }

// Serve returns an error.
func (d *Disk) Serve(*os.File) (*Mount, error) { return nil, errLinux }

// Close returns an error.
func (m *Mount) Close(context.Context) error { return errLinux }

// Done returns nil.
func (m *Mount) Done() <-chan struct{} { return nil }
