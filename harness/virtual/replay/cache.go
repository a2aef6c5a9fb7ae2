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

// Folders of the cache that have not been used for unused are removed when a new one is
// made, except for the kept ones of each kind that were used last. What is half made for
// that long belongs to a process that was killed.
const (
	unused = 3 * 24 * time.Hour
	kept   = 3
)

// making begins the names of folders that are being made or removed.
const making = "making-"

// cache is a folder of folders. Each comes into it whole, by a rename, so that any number
// of processes may make and use the same ones at once.
type cache struct{ dir string }

// folder returns the path of a folder for which good holds. It has that name, or the name
// with a number if there is something else of that name: what is damaged is left alone,
// since another process may be about to use it. If there is no good one, fill makes it, in
// a folder aside, which then gets the name.
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
		if good(dir) { // another one made it meanwhile
			return dir, nil
		}
		if _, there := os.Lstat(dir); there != nil {
			return "", err
		}
	}
	return "", err
}

// make makes the folder dir, which must not be there.
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
	defer os.RemoveAll(made) // not there once it has its name
	if err := os.Chmod(made, 0o755); err != nil {
		return err
	}
	if err := fill(made, dir); err != nil {
		return err
	}
	return os.Rename(made, dir)
}

// use notes that the folder was used. In a cache that cannot be written nothing is
// removed, so no note is needed.
func (c cache) use(dir string) {
	now := time.Now()
	if info, err := os.Stat(dir); err == nil && now.Sub(info.ModTime()) > time.Hour {
		_ = os.Chtimes(dir, now, now)
	}
}

// remove takes a folder away at once, and then removes what is in it.
func (c cache) remove(dir string) error {
	aside, err := os.MkdirTemp(c.dir, making)
	if err != nil {
		return err
	}
	err = os.Rename(dir, filepath.Join(aside, "old"))
	return errors.Join(err, os.RemoveAll(aside))
}

// prune removes what has not been used for long. What cannot be removed stays.
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
