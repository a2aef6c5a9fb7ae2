package replay

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// When a folder is made, folders that have not been used for the time unused are removed, except for the kept most
// recently used ones of each kind. A half-made folder of that age belongs to a killed process.
const (
	unused = 3 * 24 * time.Hour
	kept   = 3
)

// making is the name prefix of folders that are being made or removed.
const making = "making-"

// cache is a folder of folders. Each is completed elsewhere and then renamed into place, so any number of processes
// can make and use the same ones concurrently.
type cache struct{ dir string }

// folder returns the path of a folder for which good returns true. Its name is name, or name with a number if a
// folder of that name is damaged: a damaged folder stays, because another process may be about to use it. If there
// is no good folder, fill makes one under a temporary name dir, before it is renamed to final.
func (c cache) folder(name string, good func(dir string) bool, fill func(dir, final string) error) (string, error) {
	var err error
	for i := range 10 {
		dir := filepath.Join(c.dir, name)
		if i > 0 {
			dir += "-" + strconv.Itoa(i)
		}
		if good(dir) {
			c.use(dir)
			return dir, nil
		}
		if err = c.make(dir, fill); err == nil {
			c.prune()
			return dir, nil
		}
		if good(dir) { // another process made it in the meantime
			return dir, nil
		}
		if _, there := os.Lstat(dir); there != nil {
			return "", err
		}
	}
	return "", err
}

// make makes the folder dir, which must not exist.
func (c cache) make(dir string, fill func(dir, final string) error) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s is damaged", dir)
	}
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return err
	}
	made, err := os.MkdirTemp(c.dir, making)
	if err != nil {
		return err
	}
	defer os.RemoveAll(made) // does nothing after the rename
	if err := os.Chmod(made, 0o755); err != nil {
		return err
	}
	if err := fill(made, dir); err != nil {
		return err
	}
	return os.Rename(made, dir)
}

// use records that the folder was used. In a read-only cache it has no effect, but there nothing is pruned.
func (c cache) use(dir string) {
	now := time.Now()
	if info, err := os.Stat(dir); err == nil && now.Sub(info.ModTime()) > time.Hour {
		_ = os.Chtimes(dir, now, now)
	}
}

// remove first renames the folder, so that it disappears atomically, and then removes its content.
func (c cache) remove(dir string) error {
	aside, err := os.MkdirTemp(c.dir, making)
	if err != nil {
		return err
	}
	err = os.Rename(dir, filepath.Join(aside, "old"))
	return errors.Join(err, os.RemoveAll(aside))
}

// prune removes folders that have not been used for long. Errors are ignored: best effort.
func (c cache) prune() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	type folder struct {
		path string
		used time.Time
	}
	kinds := map[string][]folder{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() {
			continue
		}
		kind := ""
		for _, prefix := range []string{making, copied} {
			if strings.HasPrefix(entry.Name(), prefix) {
				kind = prefix
			}
		}
		kinds[kind] = append(kinds[kind], folder{filepath.Join(c.dir, entry.Name()), info.ModTime()})
	}
	for kind, folders := range kinds {
		slices.SortFunc(folders, func(a, b folder) int { return b.used.Compare(a.used) })
		if kind != making {
			folders = folders[min(kept, len(folders)):]
		}
		for _, f := range folders {
			if time.Since(f.used) > unused {
				_ = c.remove(f.path)
			}
		}
	}
}
