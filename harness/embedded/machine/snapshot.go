package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Snapshot pins a view of the database. It blocks only while an earlier snapshot is not released.
// Persist does the work while entries continue to be applied.
func (m *Machine) Snapshot() (raft.FSMSnapshot, error) {
	view, err := m.view(context.Background(), m.readers.snapshots)
	if err != nil {
		return nil, fmt.Errorf("take snapshot: %w", err)
	}
	return &snapshot{machine: m, view: view}, nil
}

type snapshot struct {
	machine *Machine
	view    *View
}

// Persist writes the view into sink as one SQLite database file.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	err := s.machine.withCopy("snapshot-*.db", func(path string) error {
		if err := copyTo(path, s.view.conn); err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(sink, file)
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return errors.Join(fmt.Errorf("persist snapshot: %w", err), sink.Cancel())
	}
	return sink.Close()
}

// Release ends the view.
func (s *snapshot) Release() {
	if err := s.view.Close(); err != nil {
		_ = s.machine.fail(fmt.Errorf("release snapshot: %w", err))
	}
}

func copyTo(path string, from *sqlite.Conn) error {
	to, err := sqlite.Open(path, sqlite.Plain)
	if err != nil {
		return err
	}
	return errors.Join(to.Copy(context.Background(), from), to.Close())
}

// Restore replaces the database by the one read from source. Reads in progress continue to see
// the old one. If Restore fails, the machine has failed.
func (m *Machine) Restore(source io.ReadCloser) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	if err := m.stopped(); err != nil {
		return err
	}
	var applied uint64
	var latest int64
	err := m.withCopy("restore-*.db", func(path string) error {
		if err := download(path, source); err != nil {
			return err
		}
		from, err := sqlite.Open(path, sqlite.Reader)
		if err != nil {
			return err
		}
		if applied, latest, err = progress(from); err == nil {
			err = checkFormat(from)
		}
		if err == nil {
			err = m.writer.Copy(context.Background(), from)
		}
		return errors.Join(err, from.Close())
	})
	if err != nil {
		return m.fail(fmt.Errorf("restore snapshot: %w", err))
	}
	m.latest = latest
	m.setRestored(applied)
	return nil
}

// checkFormat returns an error for a database written by an earlier version of this program.
func checkFormat(conn *sqlite.Conn) error {
	if found, err := conn.Lookup("SELECT 1 FROM sqlite_schema WHERE name = 'rejoin_objects'"); found != nil || err != nil {
		return err
	}
	return errors.New("the snapshot was made by an earlier version, which did not record the contents of namespaces; it cannot be restored")
}

func download(path string, source io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, source)
	return errors.Join(err, file.Close())
}

// progress returns the index of the last entry applied to a database, and the latest time of all
// its entries.
func progress(conn *sqlite.Conn) (index uint64, latest int64, err error) {
	applied, err := conn.Lookup("SELECT log_index FROM rejoin_applied")
	if err != nil {
		return 0, 0, fmt.Errorf("read the applied index: %w", err)
	}
	time, err := conn.Lookup("SELECT latest_time FROM rejoin_applied")
	if err != nil {
		return 0, 0, fmt.Errorf("read the time of the latest entry: %w", err)
	}
	at, isIndex := applied.(int64)
	latest, isTime := time.(int64)
	if !isIndex || !isTime {
		return 0, 0, errors.New("the database has no applied index and time")
	}
	return uint64(at), latest, nil
}

// withCopy calls use with the path of a new file in the machine's directory. Afterwards it
// removes the file and the files that SQLite created beside it.
func (m *Machine) withCopy(pattern string, use func(path string) error) error {
	file, err := os.CreateTemp(m.dir, pattern)
	if err != nil {
		return err
	}
	path := file.Name()
	err = errors.Join(file.Close(), use(path))
	leftovers, globErr := filepath.Glob(path + "*")
	err = errors.Join(err, globErr)
	for _, leftover := range leftovers {
		err = errors.Join(err, os.Remove(leftover))
	}
	return err
}
