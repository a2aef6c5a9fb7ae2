package process

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// Log returns the end of the node's output on stdout and stderr in all its lives, at most that many bytes.
func (c *Cluster) Log(node int, most int) (string, error) {
	n, err := c.node(node)
	if err != nil {
		return "", err
	}
	return tail(n.log, 0, most)
}

// Files lists the files below the node's directory.
func (c *Cluster) Files(_ context.Context, node int) ([]string, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	return rundir.Files(n.home.dir())
}

// tail returns the content of a file from an offset on, at most the last most bytes of it.
func tail(path string, from int64, most int) (_ string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	from = max(from, info.Size()-int64(most))
	text, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	return string(text), err
}
