package rundir

import (
	"errors"
	"io/fs"
	"os"
)

// Files lists the files below a directory, in order: slash-separated names. What is removed
// meanwhile is listed or not.
func Files(dir string) (names []string, err error) {
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !entry.IsDir():
			names = append(names, name)
		}
		return nil
	})
	return names, err
}
