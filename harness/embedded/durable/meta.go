package durable

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/raft-wal/types"

	"github.com/rejoin-db/rejoin/harness/disk"
)

const (
	metaFile      = disk.LogDir + "/meta"
	metaTemporary = disk.LogDir + "/.meta"
)

// meta is the log's list of segments and Raft's term and vote: one small file with a checksum,
// replaced as a whole at every change. The promise contains its version.
type meta struct {
	fs       *disk.FS
	rotation *rotation
	promises *promises

	// lock is a mutex for the fields below: it is locked while it holds a value.
	lock    chan struct{}
	content metaContent
}

type metaContent struct {
	Version uint64 // number of changes
	Log     types.PersistentState
	Stable  map[string][]byte
}

var _ types.MetaStore = (*meta)(nil)

// openMeta reads the file. Without the file there must be no segments and no promised version. A
// version below the promised one has lost a vote or a segment; a promise far below the version
// has lost entries.
func openMeta(fs *disk.FS, rotation *rotation, promises *promises) (*meta, error) {
	m := &meta{
		fs: fs, rotation: rotation, promises: promises, lock: make(chan struct{}, 1),
		content: metaContent{Stable: make(map[string][]byte)},
	}
	if err := m.read(); err != nil {
		return nil, err
	}
	switch promised := promises.current().meta; {
	case m.content.Version < promised && m.content.Version == 0:
		return nil, lost(fs.Path(metaFile), "it is missing")
	case m.content.Version < promised:
		return nil, lost(fs.Path(metaFile), "it has version %d, but version %d was stored", m.content.Version, promised)
	case promises.exists && m.content.Version > promised+1: // each version is promised before the next one is written
		return nil, lost(fs.Path(disk.PromiseFile), "it contains version %d of %s, which has version %d", promised, metaFile, m.content.Version)
	}
	return m, nil
}

func (m *meta) read() (err error) {
	file, err := m.fs.Open(metaFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m.expectNothing()
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	stored, err := readAll(file)
	if err != nil {
		return err
	}
	if len(stored) < 4 || crc32.Checksum(stored[4:], castagnoli) != binary.LittleEndian.Uint32(stored) {
		return damaged(file.Path(), "wrong checksum")
	}
	if err := json.Unmarshal(stored[4:], &m.content); err != nil {
		return damaged(file.Path(), "%v", err)
	}
	return nil
}

func (m *meta) expectNothing() error {
	names, err := m.fs.List(disk.LogDir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, disk.LogSuffix) }) {
		return damaged(m.fs.Path(metaFile), "it is missing, but the log exists")
	}
	return nil
}

// change replaces the file.
func (m *meta) change(changed metaContent) error {
	changed.Version = m.content.Version + 1
	content, err := json.Marshal(changed)
	if err != nil {
		return err
	}
	stored := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli))
	if err := replace(m.fs, metaFile, metaTemporary, append(stored, content...)); err != nil {
		return err
	}
	m.content = changed
	if m.promises.file == nil { // the log is being created
		return nil
	}
	return m.promises.keep(func(p *promise) { p.meta = changed.Version })
}

// Load returns the current state of the log.
func (m *meta) Load(string) (types.PersistentState, error) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	return m.content.Log, nil
}

func (m *meta) version() uint64 {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	return m.content.Version
}

func (m *meta) CommitState(state types.PersistentState) error {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	err := m.change(metaContent{Log: state, Stable: m.content.Stable})
	if err != nil {
		m.rotation.end(err)
	}
	return err
}

func (m *meta) GetStable(key []byte) ([]byte, error) {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	return m.content.Stable[string(key)], nil
}

func (m *meta) SetStable(key, value []byte) error {
	m.lock <- struct{}{}
	defer func() { <-m.lock }()
	if old, is := m.content.Stable[string(key)]; is && string(old) == string(value) {
		return nil
	}
	stable := maps.Clone(m.content.Stable)
	stable[string(key)] = slices.Clone(value)
	return m.change(metaContent{Log: m.content.Log, Stable: stable})
}

func (m *meta) Close() error { return nil }
