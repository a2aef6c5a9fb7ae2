package proc

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rejoin-db/rejoin/harness/hosts"
)

// Log is the end of the output of a node's programs.
func (c *cluster) Log(node, most int) (string, error) {
	n, err := c.node(node)
	if err != nil {
		return "", err
	}
	return n.host.Log(most)
}

// Files are the files of a node, below its folder.
func (c *cluster) Files(ctx context.Context, node int) ([]string, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(n.host.Dir())
	if err != nil {
		return nil, fmt.Errorf("list the files of node %s: %w", n.id, err)
	}
	defer root.Close()
	var files []string
	err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, filepath.ToSlash(path))
		}
		return ctx.Err() // what is gone meanwhile is left out
	})
	return files, err
}

// CarriesPackets is true: links between hosts do.
func (c *cluster) CarriesPackets() bool { return true }

// Enclosed is true: hosts have a network of their own.
func (c *cluster) Enclosed() bool { return true }

// Dial connects to a node from the clients' host.
func (c *cluster) Dial(ctx context.Context, node int) (net.Conn, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	return c.clients.DialContext(ctx, "tcp", n.address)
}

// Token is empty: adapters know their own secrets.
func (c *cluster) Token() string { return "" }

// Listen listens at the address of a node that does not run. A host whose power was cut is switched on.
func (c *cluster) Listen(node int) (net.Listener, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(n.address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: the port is no number: %w", n.address, err)
	}
	if c.database.CutsPower {
		if _, err := n.output(c.life.Context(), hosts.Command{Path: "true"}); err != nil {
			return nil, fmt.Errorf("listen at %s: switch its host on: %w", n.address, err)
		}
	}
	return n.host.Listen(c.life.Context(), number)
}
