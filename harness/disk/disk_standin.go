package disk

import (
	"errors"
	"os"
	"path/filepath"
)

// Disk is a directory.
type Disk struct{ dir string }

// Files is a directory.
func Files(dir string) *Disk { return &Disk{dir} }

// Set does nothing.
func (d *Disk) Set(Faults) {}

// Damage flips a byte of a file of the part.
func (d *Disk) Damage(part Part) (string, error) {
	found, err := filepath.Glob(filepath.Join(d.dir, map[Part]string{Log: "log", Snapshot: "snapshots"}[part], "*"))
	if err != nil || len(found) == 0 {
		return "", errors.Join(err, os.ErrNotExist)
	}
	return found[0], nil
}
