package disk

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"
)

// inode is a file, independent of its name. The fields after the blank line are guarded by FS.mu.
type inode struct {
	syncing    chan struct{}          // mutex of syncs: locked while it holds a value
	name       atomic.Pointer[string] // current name, as the node sees it
	stableName string                 // durable name; guarded by FS.order

	file    stableFile // durable content; nil if it is not open or not created yet
	size    int64      // as the node sees it, while open
	through bool       // whether the file must be synced even without spans
	spans   []span     // unsynced writes, in order
	claimed int        // number of spans that a lying disk claimed to have synced
	users   int
}

// span is one write.
type span struct {
	offset int64
	data   []byte
}

func newInode(name string) *inode {
	n := &inode{syncing: make(chan struct{}, 1), stableName: name}
	n.rename(name)
	return n
}

func (n *inode) rename(name string) { n.name.Store(&name) }

// use opens a file. The caller must hold order.
func (f *FS) use(n *inode) (*File, error) {
	if err := f.load(n); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n.users++
	return &File{fs: f, inode: n}, nil
}

// load opens the durable content of a file, unless it is open, or not created yet.
func (f *FS) load(n *inode) error {
	f.mu.Lock()
	known, name := n.file != nil, n.stableName
	f.mu.Unlock()
	if known || f.pending(n) {
		return nil
	}
	file, err := f.disk.stable.open(name)
	if err != nil {
		return err
	}
	size, err := file.length()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n.file, n.size = file, size
	f.open[n] = struct{}{}
	return nil
}

// pending returns whether the creation of the file is still held.
func (f *FS) pending(n *inode) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.held, func(c change) bool {
		made, is := c.(creation)
		return is && made.inode == n
	})
}

// File is an open file. It is safe for concurrent use; a read sees all writes that have returned,
// synced or not.
type File struct {
	fs     *FS
	inode  *inode
	closed atomic.Bool
}

// Name returns the file's current name on the disk.
func (f *File) Name() string { return *f.inode.name.Load() }

// Path returns the file's name for errors, with the directory for real files.
func (f *File) Path() string { return f.fs.Path(f.Name()) }

func (f *File) begin(op string) error {
	if f.closed.Load() {
		return f.fs.failure(op, f.Name(), fs.ErrClosed)
	}
	return f.fs.begin(op, f.Name())
}

// Size returns the file's length in bytes.
func (f *File) Size() int64 {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return f.inode.size
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.fs.calls.Done()
	f.fs.mu.Lock()
	file, size, spans := f.inode.file, f.inode.size, f.inode.within(offset, len(p))
	f.fs.mu.Unlock()
	n := int(max(min(int64(len(p)), size-offset), 0))
	read := 0
	if file != nil && n > 0 {
		var err error
		if read, err = file.ReadAt(p[:n], offset); err != nil && err != io.EOF {
			return 0, err
		}
	}
	clear(p[read:n])
	for _, s := range spans {
		s.read(p[:n], offset)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// within returns the spans that overlap a range of the file.
func (n *inode) within(offset int64, length int) (found []span) {
	for _, s := range n.spans {
		if s.offset < offset+int64(length) && offset < s.offset+int64(len(s.data)) {
			found = append(found, s)
		}
	}
	return found
}

func (s span) read(p []byte, offset int64) {
	if s.offset >= offset {
		if at := s.offset - offset; at < int64(len(p)) {
			copy(p[at:], s.data)
		}
	} else {
		copy(p, s.data[offset-s.offset:])
	}
}

// WriteAt implements io.WriterAt. The data is not durable until Sync returns. It blocks after a
// torn sync.
func (f *File) WriteAt(p []byte, offset int64) (int, error) {
	if err := f.begin("write"); err != nil {
		return 0, err
	}
	defer f.fs.calls.Done()
	if err := f.fs.store("write", f.Name(), true); err != nil {
		return 0, err
	}
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.inode.spans = append(f.inode.spans, span{offset, slices.Clone(p)})
	f.inode.size = max(f.inode.size, offset+int64(len(p)))
	return len(p), nil
}

// Close closes the file. It neither syncs nor discards unsynced writes.
func (f *File) Close() error {
	if f.closed.Swap(true) || f.fs.begin("close", f.Name()) != nil {
		return nil
	}
	defer f.fs.calls.Done()
	f.fs.mu.Lock()
	n := f.inode
	n.users--
	var idle stableFile
	if n.users == 0 && n.file != nil && len(n.spans) == 0 {
		idle, n.file = n.file, nil
		delete(f.fs.open, n)
	}
	f.fs.mu.Unlock()
	if idle == nil {
		return nil
	}
	return idle.Close()
}
