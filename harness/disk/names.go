package disk

import (
	"path"
	"slices"
)

// Names returns the durable files on the disk, sorted, whether or not it is open. Names are
// slash-separated, as in FS.
func (d *Disk) Names() ([]string, error) {
	var all []string
	for _, dir := range []string{".", IdentityDir, LogDir, SnapshotDir} {
		names, err := d.stable.list(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			all = append(all, path.Join(dir, name))
		}
	}
	slices.Sort(all)
	return all, nil
}
