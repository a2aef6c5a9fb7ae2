package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/raftfix"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// storage contains the files of a node:
//
//	identity/   the owner of the directory (identity.go)
//	log/        Raft's log, its term and its vote
//	snapshots/  the newest snapshots, each a SQLite file with its checksums
//	promises    how much of log/ and snapshots/ must exist
//	state/      the working copy of the database, rebuilt at every start
//
// state/ is in Config.Dir, the others are on Config.Disk. The node holds a lock on the directory.
type storage struct {
	Stores
	disk     *disk.FS
	machine  *machine.Machine
	failStop *failStop
	identity *identity

	closers []io.Closer
}

func openStorage(config Config, seams Seams, mends raftfix.Mends) (_ *storage, err error) {
	s := &storage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	lock, err := lockDir(config.Dir)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, lock)
	state := filepath.Join(config.Dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	if s.machine, err = machine.Open(state, config.Machine); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.machine)
	s.failStop = newFailStop(s.machine)
	if s.disk, err = config.Disk.Open(); err != nil {
		return nil, fmt.Errorf("open the disk: %w", err)
	}
	s.closers = append(s.closers, s.disk)
	if s.identity, err = openIdentity(s.disk, s.failStop, config); err != nil {
		return nil, err
	}
	if s.Stores, err = openStores(s.disk, s.failStop, seams, mends, config.Logger); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.Stores)
	return s, s.cause(s.identity.begin(s.Stores))
}

// advised adds to an error of a start what the operator must do.
func advised(err error) error {
	var damage *durable.DamageError
	var lost *durable.LostError
	switch {
	case errors.As(err, &damage), errors.As(err, &lost):
		return fmt.Errorf("%w; replace the node: remove it as a member, and add it again with an empty directory", err)
	case sqlite.Full(err):
		return fmt.Errorf("%w; the disk is full: free some space and start the node again", err)
	}
	return err
}

// cause returns why the storage has failed, or err if it has not. Raft's errors do not contain the
// cause.
func (s *storage) cause(err error) error {
	if stopped := s.failStop.stopped(); stopped != nil {
		return stopped
	}
	if failed := s.machine.Failed(); failed != nil {
		return failed
	}
	return err
}

func (s *storage) close() error {
	var err error
	for _, c := range slices.Backward(s.closers) {
		err = errors.Join(err, c.Close())
	}
	return err
}
