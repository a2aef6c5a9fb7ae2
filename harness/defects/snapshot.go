package defects

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

func snapshot() []Defect {
	const kind = "snapshot"
	return []Defect{
		edited("snapshot-misses-the-last-rows", kind,
			"a snapshot lacks the last row of each table", "suite:snapshot",
			func(conn *sqlite.Conn) error {
				return eachTable(conn, func(table string) error {
					// Tables without a rowid stay as they are.
					_ = conn.Trusted(fmt.Sprintf(`DELETE FROM "%s" WHERE rowid = (SELECT max(rowid) FROM "%s")`, table, table))
					return nil
				})
			}),
		edited("snapshot-misses-a-namespace", kind,
			"a snapshot lacks the tables of one namespace", "suite:snapshot",
			func(conn *sqlite.Conn) error {
				found, err := conn.Lookup("SELECT max(name) FROM rejoin_namespaces WHERE name <> 'main'")
				if err != nil || found == nil {
					return err
				}
				return eachTable(conn, func(table string) error {
					if !strings.HasPrefix(table, found.(string)+".") {
						return nil
					}
					return conn.Trusted(fmt.Sprintf(`DROP TABLE "%s"`, table))
				})
			}),
		edited("snapshot-loses-indexes", kind,
			"a snapshot lacks the indexes that statements created", "suite:snapshot",
			func(conn *sqlite.Conn) error {
				return each(conn, "type = 'index' AND sql IS NOT NULL", func(index string) error {
					return conn.Trusted(fmt.Sprintf(`DROP INDEX "%s"`, index))
				})
			}),
		edited("snapshot-forgets-requests", kind,
			"a snapshot lacks the keys of applied requests", "suite:snapshot",
			func(conn *sqlite.Conn) error {
				return conn.Trusted("DELETE FROM rejoin_requests; DELETE FROM rejoin_tickets")
			}),
		inMachine("snapshot-is-newer-than-its-index", kind,
			"a snapshot contains rows that are newer than its index", "suite:snapshot",
			func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
				return snapshots{inner, func(taken raft.FSMSnapshot) raft.FSMSnapshot {
					return &tooNew{FSMSnapshot: taken, from: inner, dir: life.Dir}
				}}
			}),
		{
			Name: "snapshot-is-half-written", Kind: kind, About: "suite:snapshot",
			Text: "a snapshot that was written only in part counts as complete",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Snapshots = halves{s.Snapshots}
					return s
				}}
			}},
		{
			Name: "log-is-never-compacted", Kind: kind, About: "suite:pressure",
			Text: "the log is not truncated after a snapshot",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Log = uncompacted{s.Log}
					return s
				}}
			}},
		inMachine("snapshot-over-newer-state", kind,
			"an old snapshot is installed over newer state", "suite:snapshot",
			func(inner raft.BatchingFSM, _ embedded.Life) raft.BatchingFSM {
				return &reinstalling{BatchingFSM: inner}
			}),
	}
}

// snapshots is a state machine that replaces its snapshots.
type snapshots struct {
	raft.BatchingFSM
	taken func(raft.FSMSnapshot) raft.FSMSnapshot
}

func (m snapshots) Snapshot() (raft.FSMSnapshot, error) {
	taken, err := m.BatchingFSM.Snapshot()
	if err != nil {
		return nil, err
	}
	return m.taken(taken), nil
}

// edited is a bug in the content of snapshots.
func edited(name, kind, text, about string, edit func(*sqlite.Conn) error) Defect {
	return inMachine(name, kind, text, about, func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
		return snapshots{inner, func(taken raft.FSMSnapshot) raft.FSMSnapshot {
			return editedSnapshot{taken, life.Dir, edit}
		}}
	})
}

type editedSnapshot struct {
	raft.FSMSnapshot
	dir  string
	edit func(*sqlite.Conn) error
}

func (s editedSnapshot) Persist(sink raft.SnapshotSink) error {
	content := &memorySink{SnapshotSink: sink}
	if err := s.FSMSnapshot.Persist(content); err != nil {
		return err
	}
	changed, err := edit(s.dir, content.Bytes(), s.edit)
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	if _, err := sink.Write(changed); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// memorySink buffers a snapshot in memory.
type memorySink struct {
	raft.SnapshotSink
	bytes.Buffer
}

func (s *memorySink) Write(p []byte) (int, error) { return s.Buffer.Write(p) }
func (s *memorySink) Close() error                { return nil }
func (s *memorySink) Cancel() error               { return nil }

// edit changes the content of a SQLite file, using a temporary file in dir.
func edit(dir string, content []byte, change func(*sqlite.Conn) error) (_ []byte, err error) {
	file, err := os.CreateTemp(dir, "edited-*.db")
	if err != nil {
		return nil, err
	}
	path := file.Name()
	defer func() {
		left, _ := filepath.Glob(path + "*")
		for _, name := range left {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	conn, err := sqlite.Open(path, sqlite.Plain)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(change(conn), conn.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// eachTable calls do for each table of clients.
func eachTable(conn *sqlite.Conn, do func(table string) error) error {
	return each(conn, "type = 'table'", do)
}

// each calls do for each client object in sqlite_schema that meets the condition.
func each(conn *sqlite.Conn, condition string, do func(name string) error) error {
	names, err := conn.Lookup(`SELECT group_concat(name, '|') FROM sqlite_schema
		WHERE name NOT LIKE 'rejoin\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND ` + condition)
	if err != nil || names == nil {
		return err
	}
	for name := range strings.SplitSeq(names.(string), "|") {
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}

// tooNew takes its view of the database too late.
type tooNew struct {
	raft.FSMSnapshot
	from raft.BatchingFSM
	dir  string
}

const moment = 50 * time.Millisecond

func (s *tooNew) Persist(sink raft.SnapshotSink) error {
	content := &memorySink{SnapshotSink: sink}
	if err := s.FSMSnapshot.Persist(content); err != nil {
		return err
	}
	right := content.Bytes()
	index, err := indexOf(s.dir, right)
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	timer := time.NewTimer(moment)
	<-timer.C
	later, err := s.from.Snapshot()
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	defer later.Release()
	return editedSnapshot{later, s.dir, func(conn *sqlite.Conn) error {
		return conn.Trusted(fmt.Sprintf("UPDATE rejoin_applied SET log_index = %d; "+
			"DELETE FROM rejoin_requests WHERE log_index > %d; DELETE FROM rejoin_tickets WHERE log_index > %d", index, index, index))
	}}.Persist(sink)
}

func indexOf(dir string, content []byte) (index int64, err error) {
	_, err = edit(dir, content, func(conn *sqlite.Conn) error {
		found, err := conn.Lookup("SELECT log_index FROM rejoin_applied")
		index, _ = found.(int64)
		return err
	})
	return index, err
}

// halves is a snapshot store that stores only the first half of each snapshot.
type halves struct{ raft.SnapshotStore }

func (s halves) Create(
	version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, transport raft.Transport,
) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, transport)
	return &half{SnapshotSink: sink}, err
}

type half struct {
	raft.SnapshotSink
	content bytes.Buffer
}

func (s *half) Write(p []byte) (int, error) { return s.content.Write(p) }

func (s *half) Close() error {
	if _, err := s.SnapshotSink.Write(s.content.Bytes()[:s.content.Len()/2]); err != nil {
		return err
	}
	return s.SnapshotSink.Close()
}

// uncompacted is a log that keeps its beginning.
type uncompacted struct{ raft.LogStore }

func (l uncompacted) IsMonotonic() bool { return true }

func (l uncompacted) DeleteRange(from, to uint64) error {
	if first, err := l.FirstIndex(); err == nil && from <= first {
		return nil
	}
	return l.LogStore.DeleteRange(from, to)
}

// reinstalling restores its last snapshot again, some entries later.
type reinstalling struct {
	raft.BatchingFSM
	snapshot []byte
	entries  int // since the snapshot
}

const entriesLater = 10

func (m *reinstalling) Snapshot() (raft.FSMSnapshot, error) {
	taken, err := m.BatchingFSM.Snapshot()
	if err != nil {
		return nil, err
	}
	content := &memorySink{}
	if err := taken.Persist(content); err != nil {
		return nil, err
	}
	m.snapshot, m.entries = content.Bytes(), 0
	taken.Release()
	return m.BatchingFSM.Snapshot()
}

func (m *reinstalling) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

func (m *reinstalling) ApplyBatch(logs []*raft.Log) []any {
	if m.entries += len(logs); m.snapshot != nil && m.entries > entriesLater {
		_ = m.Restore(io.NopCloser(bytes.NewReader(m.snapshot)))
		m.snapshot = nil
	}
	return m.BatchingFSM.ApplyBatch(logs)
}
