package disk

import "io"

// stable is where things are safe. Its calls may block on real files, and return
// errors of type *fs.PathError.
type stable interface {
	// list names the files in a directory, in order; none if there is no such
	// directory.
	list(dir string) ([]string, error)
	open(name string) (stableFile, error)
	// create makes an empty file, and its directory if need be. A size above 0 is
	// how large it will become.
	create(name string, size int64) (stableFile, error)
	rename(from, to string) error
	remove(name string) error
	// path names a file in messages.
	path(name string) string
}

type stableFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// length is how many bytes the file has; below it, what was never written is
	// zero.
	length() (int64, error)
	truncate(size int64) error
	sync() error
}
