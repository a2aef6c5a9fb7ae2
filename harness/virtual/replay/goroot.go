package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// copied is the name prefix of copies of a GOROOT.
const copied = "goroot-"

// beneath reports whether path is folder or lies below it. It resolves symbolic links.
func beneath(folder, path string) bool {
	if folder == "" {
		return false
	}
	in := func(folder, path string) bool {
		rel, err := filepath.Rel(folder, path)
		return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
	}
	realFolder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		realFolder = folder
	}
	realPath, err := filepath.EvalSymlinks(path)
	if err != nil {
		realPath = path
	}
	return in(folder, path) || in(realFolder, realPath)
}

// copyRoot returns a copy of the GOROOT in the cache (some 250 MB), and makes it if necessary. The go command keeps
// downloaded releases in the module cache, where overlays do not apply. The files of the copy are writable, so that
// the copy can be removed.
func copyRoot(ctx context.Context, c cache, goVersion, root string) (string, error) {
	sum := sha256.Sum256([]byte(machinery + "\n" + goVersion + "\n" + root))
	return c.folder(copied+hex.EncodeToString(sum[:12]),
		func(dir string) bool {
			for _, file := range []string{"VERSION", goCommand, "src/runtime"} {
				if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(file))); err != nil {
					return false
				}
			}
			return true
		},
		func(dir, _ string) error {
			return os.CopyFS(dir, readable{os.DirFS(root), ctx})
		})
}

// readable is a file system that cannot be opened after the context ends.
type readable struct {
	fs.FS
	ctx context.Context
}

func (r readable) Open(name string) (fs.File, error) {
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	return r.FS.Open(name)
}
