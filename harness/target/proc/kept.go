package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// kept is the folder with the disks of a cluster of a size, below Options.Kept. The first boot of a size makes it: it boots a
// cluster, stops it, and copies its disks. Another process may do the same at the same time; the first one wins. Where nodes are
// alike, it is the folder of a cluster of one.
func (b *booter) kept(ctx context.Context, database Database, size int) (string, error) {
	if b.options.Kept == "" {
		return "", nil
	}
	if database.Alike {
		size = 1
	}
	folder := filepath.Join(b.options.Kept, strconv.Itoa(size))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	c, err := b.bootFrom(ctx, database, size, "")
	if err != nil {
		return "", err
	}
	making, err := os.MkdirTemp(b.options.Kept, "making-")
	if err == nil {
		err = c.keep(ctx, making)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		return "", fmt.Errorf("keep the disks of a cluster of %d: %w", size, err)
	}
	if err := os.Rename(making, folder); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("keep the disks of a cluster of %d: %w", size, err)
	}
	return folder, os.RemoveAll(making)
}

// keep stops all nodes, those that lead last, and copies their disks.
func (c *cluster) keep(ctx context.Context, to string) error {
	nodes := c.all()
	leads := make(map[*node]bool)
	for _, n := range nodes {
		said, err := n.Status(ctx)
		if err != nil {
			return err
		}
		leads[n] = said.Leader == n.id
	}
	slices.SortStableFunc(nodes, func(a, b *node) int {
		switch {
		case leads[a] == leads[b]:
			return 0
		case leads[a]:
			return 1
		}
		return -1
	})
	for _, n := range nodes {
		if err := c.Stop(ctx, n.peer.Index); err != nil {
			return err
		}
	}
	for _, n := range nodes {
		if err := copyFolder(ctx, n.host.Dir(), filepath.Join(to, n.id)); err != nil {
			return err
		}
	}
	return nil
}

// copyFolder copies what is in a folder, with its owners, to another one, which need not exist. This process reads and writes
// below the faults of disks, which is fast.
func copyFolder(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if said, err := exec.CommandContext(ctx, "cp", "-a", "--sparse=always", from+"/.", to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s to %s: %w: %s", from, to, err, said)
	}
	return nil
}
