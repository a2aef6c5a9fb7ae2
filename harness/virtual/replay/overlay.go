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

// machinery is part of every overlay's name. It changes when folders of another shape are made.
const machinery = "1"

// overlayFile is the file in an overlay's folder that go build -overlay takes.
const overlayFile = "overlay.json"

// overlay is what a folder of the cache holds: patched copies of Go's sources, and
// overlayFile, which puts them in the place of the installed ones.
type overlay struct {
	name  string            // of its folder: a hash of all that is in it
	root  string            // the GOROOT whose files it replaces
	files map[string]string // as patched returns them
}

// newOverlay is one that puts files in the place of root's.
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

// content is what each file of the folder holds that is to be at dir, by its name in it.
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
		panic(err) // a map of strings
	}
	content[overlayFile] = string(list) + "\n"
	return content
}

// whole tells whether dir holds the content, to the byte.
func whole(dir string, content map[string]string) bool {
	for file, text := range content {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != text {
			return false
		}
	}
	return true
}

// install returns the path of the overlay's overlayFile in the cache, and makes its
// folder if it is not there as it must be.
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
