package defects

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// restored are bugs in snapshots that their rows do not show.
func restored() []Defect {
	const kind, about, members = "restored", "suite:restored", "suite:restored-members"
	return []Defect{
		edited("snapshot-loses-triggers", kind,
			"a snapshot lacks the triggers", about,
			func(conn *sqlite.Conn) error { return dropEach(conn, "trigger") }),
		edited("snapshot-loses-a-view", kind,
			"a snapshot lacks the views that have no triggers", about,
			func(conn *sqlite.Conn) error {
				const others = "type = 'view' AND name NOT IN (SELECT tbl_name FROM sqlite_schema WHERE type = 'trigger')"
				return each(conn, others, func(view string) error {
					return conn.Trusted(`DROP VIEW "` + view + `"`)
				})
			}),
		edited("snapshot-forgets-sequences", kind,
			"after a snapshot, AUTOINCREMENT continues at the greatest remaining row", about,
			eachSequence),
		edited("snapshot-ends-cascades", kind,
			"a snapshot turns cascading foreign keys into restricting ones", about,
			func(conn *sqlite.Conn) error {
				return rewriteSchema(conn, "ON DELETE CASCADE", "ON DELETE NO ACTION")
			}),
		edited("snapshot-ends-checks", kind,
			"a snapshot turns checks into checks that always hold", about,
			func(conn *sqlite.Conn) error { return rewriteSchema(conn, "CHECK (", "CHECK (1 OR ") }),
		edited("snapshot-forgets-empty-namespaces", kind,
			"a snapshot lacks empty namespaces", about,
			func(conn *sqlite.Conn) error {
				return conn.Trusted("DELETE FROM rejoin_namespaces WHERE name NOT IN (SELECT namespace FROM rejoin_objects)")
			}),
		edited("snapshot-forgets-long-answers", kind,
			"a snapshot lacks the answers to requests that are too long to be stored with the request", about,
			func(conn *sqlite.Conn) error { return conn.Trusted("DELETE FROM rejoin_answers") }),
		edited("snapshot-forgets-the-time", kind,
			"a snapshot lacks the lead of the log's clock", about,
			func(conn *sqlite.Conn) error { return conn.Trusted("UPDATE rejoin_applied SET latest_time = 0") }),
		inMachine("second-restore-loses-triggers", kind,
			"a node that is restored for the second time loses its conditional triggers", about,
			func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
				return &receiving{BatchingFSM: inner, dir: life.Dir, from: 2, edit: func(conn *sqlite.Conn) error {
					return each(conn, "type = 'trigger' AND sql LIKE '% WHEN %'", func(trigger string) error {
						return conn.Trusted(`DROP TRIGGER "` + trigger + `"`)
					})
				}}
			}),
		handingOn("hands-on-a-snapshot-without-views", kind,
			"snapshots of a node that was itself restored lack the triggers on views", about,
			func(conn *sqlite.Conn) error {
				const onViews = "type = 'trigger' AND tbl_name IN (SELECT name FROM sqlite_schema WHERE type = 'view')"
				return each(conn, onViews, func(trigger string) error {
					return conn.Trusted(`DROP TRIGGER "` + trigger + `"`)
				})
			}),
		inMachine("restore-leaves-its-file", kind,
			"a node keeps the file from which it was restored", about,
			func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM { return keeping{inner, life.Dir} }),
		{
			Name: "compaction-keeps-nothing", Kind: kind, About: about,
			Text: "a snapshot removes all log entries before it",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					s.Log = bare{s.Log, s.Snapshots}
					return s
				}}
			}},
		{
			Name: "snapshot-names-who-has-left", Kind: kind, About: members,
			Text: "a snapshot names all members that there ever were",
			seams: func(embedded.Life) embedded.Seams {
				return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
					known := &knowing{LogStore: s.Log}
					s.Log, s.Snapshots = known, membered{s.Snapshots, known.all}
					return s
				}}
			}},
		inSnapshots("snapshot-makes-voters-of-all", kind,
			"a snapshot turns every member into a voter", members,
			func() func(raft.Configuration) raft.Configuration {
				return func(now raft.Configuration) raft.Configuration {
					all := now.Clone()
					for i := range all.Servers {
						all.Servers[i].Suffrage = raft.Voter
					}
					return all
				}
			}),
		inSnapshots("snapshot-misses-the-latest-member", kind,
			"a snapshot lacks the latest member", members,
			func() func(raft.Configuration) raft.Configuration {
				return func(now raft.Configuration) raft.Configuration {
					fewer := now.Clone()
					if n := len(fewer.Servers); n > 3 {
						fewer.Servers = fewer.Servers[:n-1]
					}
					return fewer
				}
			}),
	}
}

func dropEach(conn *sqlite.Conn, kind string) error {
	return each(conn, "type = '"+kind+"'", func(name string) error {
		return conn.Trusted("DROP " + kind + ` "` + name + `"`)
	})
}

// eachSequence sets the sequence of each table to the greatest row in it.
func eachSequence(conn *sqlite.Conn) error {
	return each(conn, "type = 'table' AND sql LIKE '%AUTOINCREMENT%'", func(table string) error {
		return conn.Trusted(`UPDATE sqlite_sequence SET seq = (SELECT ifnull(max(rowid), 0) FROM "`+table+`") WHERE name = ?`, table)
	})
}

// rewriteSchema replaces a word in the definitions of all tables.
func rewriteSchema(conn *sqlite.Conn, word, by string) error {
	if err := conn.Trusted("PRAGMA writable_schema = ON"); err != nil {
		return err
	}
	err := conn.Trusted("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table'", word, by)
	return errors.Join(err, conn.Trusted("PRAGMA writable_schema = OFF"))
}

// receiving edits the content of restores, from the restore number from on.
type receiving struct {
	raft.BatchingFSM
	dir      string
	restores int
	from     int
	edit     func(*sqlite.Conn) error
}

func (m *receiving) Restore(source io.ReadCloser) error {
	if m.restores++; m.restores < m.from {
		return m.BatchingFSM.Restore(source)
	}
	content, err := io.ReadAll(source)
	if err != nil {
		return err
	}
	if content, err = edit(m.dir, content, m.edit); err != nil {
		return err
	}
	return m.BatchingFSM.Restore(io.NopCloser(bytes.NewReader(content)))
}

// handingOn is a bug in the snapshots of a node that was restored.
func handingOn(name, kind, text, about string, edit func(*sqlite.Conn) error) Defect {
	return inMachine(name, kind, text, about, func(inner raft.BatchingFSM, life embedded.Life) raft.BatchingFSM {
		return &passing{BatchingFSM: inner, dir: life.Dir, edit: edit}
	})
}

type passing struct {
	raft.BatchingFSM
	dir      string
	restored bool
	edit     func(*sqlite.Conn) error
}

func (m *passing) Restore(source io.ReadCloser) error {
	m.restored = true
	return m.BatchingFSM.Restore(source)
}

func (m *passing) Snapshot() (raft.FSMSnapshot, error) {
	taken, err := m.BatchingFSM.Snapshot()
	if err != nil || !m.restored {
		return taken, err
	}
	return editedSnapshot{taken, m.dir, m.edit}, nil
}

// keeping leaves a copy of the content of a restore next to the database.
type keeping struct {
	raft.BatchingFSM
	dir string
}

func (m keeping) Restore(source io.ReadCloser) error {
	content, err := io.ReadAll(source)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(m.dir, "state", "restore-1.db"), content, 0o600); err != nil {
		return err
	}
	return m.BatchingFSM.Restore(io.NopCloser(bytes.NewReader(content)))
}

// bare is a log that deletes all entries up to the newest snapshot whenever it deletes some.
type bare struct {
	raft.LogStore
	snapshots raft.SnapshotStore
}

func (l bare) IsMonotonic() bool { return true }

func (l bare) DeleteRange(from, to uint64) error {
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	if metas, err := l.snapshots.List(); err == nil && len(metas) > 0 && from <= first {
		to = max(to, metas[0].Index)
	}
	return l.LogStore.DeleteRange(from, to)
}

// inSnapshots is a bug in the members in snapshots. begin is called at each start of a node.
func inSnapshots(name, kind, text, about string, begin func() func(raft.Configuration) raft.Configuration) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Stores: func(s embedded.Stores) embedded.Stores {
			s.Snapshots = membered{s.Snapshots, begin()}
			return s
		}}
	}}
}

type membered struct {
	raft.SnapshotStore
	members func(raft.Configuration) raft.Configuration
}

func (s membered) Create(
	version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, transport raft.Transport,
) (raft.SnapshotSink, error) {
	return s.SnapshotStore.Create(version, index, term, s.members(members), membersIndex, transport)
}

// knowing is a log that records every member that occurs in it.
type knowing struct {
	raft.LogStore
	mu   sync.Mutex
	ever []raft.Server
}

func (l *knowing) IsMonotonic() bool { return true }

func (l *knowing) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

func (l *knowing) StoreLogs(logs []*raft.Log) error {
	for _, log := range logs {
		if log.Type == raft.LogConfiguration {
			l.note(raft.DecodeConfiguration(log.Data))
		}
	}
	return l.LogStore.StoreLogs(logs)
}

func (l *knowing) note(members raft.Configuration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, server := range members.Servers {
		if !slices.ContainsFunc(l.ever, func(s raft.Server) bool { return s.ID == server.ID }) {
			l.ever = append(l.ever, server)
		}
	}
}

// all returns the current and the former members.
func (l *knowing) all(now raft.Configuration) raft.Configuration {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := now.Clone()
	for _, server := range l.ever {
		if !slices.ContainsFunc(now.Servers, func(s raft.Server) bool { return s.ID == server.ID }) {
			all.Servers = append(all.Servers, server)
		}
	}
	return all
}
