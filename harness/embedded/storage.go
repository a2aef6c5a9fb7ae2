package embedded

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// storage is what a node keeps on disk:
//
//	log/        Raft's log, its term and its vote (raft-wal: one sync an append)
//	snapshots/  the newest snapshots, each a SQLite file with its checksum
//	state/      the working copy of the database, rebuilt at every start
//
// One node at a time has the directory; it holds a lock on it. Config.Stores may
// keep the first two elsewhere.
type storage struct {
	Stores
	machine *machine.Machine

	closers []io.Closer
}

func openStorage(config Config) (_ *storage, err error) {
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
	open := config.Stores
	if open == nil {
		open = func() (Stores, error) { return openFiles(config.Dir, config.Logger) }
	}
	if s.Stores, err = open(); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.Stores)
	state := filepath.Join(config.Dir, "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	if s.machine, err = machine.Open(state, config.Machine); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.machine)
	return s, nil
}

func (s *storage) close() error {
	var err error
	for _, c := range slices.Backward(s.closers) {
		err = errors.Join(err, c.Close())
	}
	return err
}
