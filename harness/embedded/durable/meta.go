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

// meta is what the log knows of itself, and Raft's term and vote: one small file
// with a checksum, replaced as a whole at every change. The promise knows its version.
type meta struct {
	fs       *disk.FS
	rotation *rotation
	promises *promises

	// turn is held, by a value in it, by who reads or changes what follows.
	turn    chan struct{}
	content metaContent
}

type metaContent struct {
	Version uint64 // how often it was changed
	Log     types.PersistentState
	Stable  map[string][]byte
}

var _ types.MetaStore = (*meta)(nil)

// openMeta reads the file. Without one there must be no segments either, and none
// must ever have been. An older one than was promised has forgotten a vote, or a
// segment; an older promise has forgotten entries.
func openMeta(fs *disk.FS, rotation *rotation, promises *promises) (*meta, error) {
	m := &meta{
		fs: fs, rotation: rotation, promises: promises, turn: make(chan struct{}, 1),
		content: metaContent{Stable: make(map[string][]byte)},
	}
	if err := m.read(); err != nil {
		return nil, err
	}
	switch promised := promises.current().meta; {
	case m.content.Version < promised && m.content.Version == 0:
		return nil, lost(fs.Path(metaFile), "it is missing")
	case m.content.Version < promised:
		return nil, lost(fs.Path(metaFile), "it is of version %d, and was of version %d", m.content.Version, promised)
	case promises.exists && m.content.Version > promised+1: // each is promised before the next
		return nil, lost(fs.Path(disk.PromiseFile), "it knows of version %d of %s, which is of version %d", promised, metaFile, m.content.Version)
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
		return damaged(file.Path(), "its checksum is another")
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
		return damaged(m.fs.Path(metaFile), "it is missing, and the log is not")
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
	if m.promises.file == nil { // the log is being made
		return nil
	}
	return m.promises.keep(func(p *promise) { p.meta = changed.Version })
}

// Load returns what openMeta read, or what was changed since.
func (m *meta) Load(string) (types.PersistentState, error) {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	return m.content.Log, nil
}

func (m *meta) version() uint64 {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	return m.content.Version
}

func (m *meta) CommitState(state types.PersistentState) error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	err := m.change(metaContent{Log: state, Stable: m.content.Stable})
	if err != nil {
		m.rotation.end(err)
	}
	return err
}

func (m *meta) GetStable(key []byte) ([]byte, error) {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	return m.content.Stable[string(key)], nil
}

func (m *meta) SetStable(key, value []byte) error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	if old, is := m.content.Stable[string(key)]; is && string(old) == string(value) {
		return nil
	}
	stable := maps.Clone(m.content.Stable)
	stable[string(key)] = slices.Clone(value)
	return m.change(metaContent{Log: m.content.Log, Stable: stable})
}

func (m *meta) Close() error { return nil }
