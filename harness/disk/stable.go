package disk

import "io"

// stable is durable storage. Its calls may block on real files. Errors have type *fs.PathError.
type stable interface {
	// list returns the names of the files in a directory, sorted. A missing directory has no
	// files.
	list(dir string) ([]string, error)
	open(name string) (stableFile, error)
	// create creates an empty file, and its directory if necessary. size is the expected size, or
	// 0.
	create(name string, size int64) (stableFile, error)
	rename(from, to string) error
	remove(name string) error
	// path returns the name of a file for messages.
	path(name string) string
}

type stableFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// length returns the size of the file in bytes. Parts that were never written are zero.
	length() (int64, error)
	truncate(size int64) error
	sync() error
}
