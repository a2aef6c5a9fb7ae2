package rundir

import (
	"errors"
	"io/fs"
	"os"
)

// Files lists the files below dir in lexical order, as slash-separated relative paths. A file that is removed
// during the call may or may not be listed. A missing dir has no files.
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
