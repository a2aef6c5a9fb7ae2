package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// machinery is part of every overlay's name. It changes with the layout of the folders.
const machinery = "1"

// overlayFile is the file for go build -overlay in an overlay's folder.
const overlayFile = "overlay.json"

// overlay is the content of a folder of the cache: patched copies of Go's sources, and overlayFile, which maps the
// installed files to them.
type overlay struct {
	name  string            // of its folder: a hash of the content
	root  string            // the GOROOT whose files it replaces
	files map[string]string // text by path, as returned by patched
}

// newOverlay returns the overlay that replaces the files of root.
func newOverlay(goVersion, root string, files map[string]string) overlay {
	sum := sha256.New()
	for _, part := range []string{machinery, goVersion, root} {
		fmt.Fprintf(sum, "%d %s\n", len(part), part)
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%d %s %d %s\n", len(file), file, len(files[file]), files[file])
	}
	return overlay{name: hex.EncodeToString(sum.Sum(nil)[:12]), root: root, files: files}
}

// content returns the files of the folder dir, as text by relative path.
func (o overlay) content(dir string) map[string]string {
	replace := make(map[string]string, len(o.files))
	content := make(map[string]string, len(o.files)+1)
	for file, text := range o.files {
		local := filepath.FromSlash(file)
		replace[filepath.Join(o.root, "src", local)] = filepath.Join(dir, local)
		content[local] = text
	}
	list, err := json.MarshalIndent(struct{ Replace map[string]string }{replace}, "", "\t")
	if err != nil {
		panic(err) // unreachable for a map of strings
	}
	content[overlayFile] = string(list) + "\n"
	return content
}

// whole reports whether dir has exactly this content.
func whole(dir string, content map[string]string) bool {
	for file, text := range content {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != text {
			return false
		}
	}
	return true
}

// install returns the path of overlayFile in the cache. It makes the folder if it is missing or damaged.
func (o overlay) install(c cache) (string, error) {
	dir, err := c.folder(o.name,
		func(dir string) bool { return whole(dir, o.content(dir)) },
		func(dir, final string) error {
			for file, text := range o.content(final) {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					return err
				}
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					return err
				}
			}
			return nil
		})
	return filepath.Join(dir, overlayFile), err
}
