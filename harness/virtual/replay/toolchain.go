package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Toolchain is a Go whose runtime is patched when it builds, or the Go that is
// installed, as it is, if that cannot be. It holds nothing open, and any number of
// goroutines may use it.
type Toolchain struct {
	Go      string // path of the go command
	Version string // as "go1.26.8"
	Root    string // its GOROOT
	Exact   bool   // what it builds replays exactly
	Why     string // why not, in one sentence; empty if it does
	Overlay string // the file for go build -overlay; empty if not Exact

	flags string // what GOFLAGS is for the go command, without Environ
	cache cache
}

// goCommand is the go command in a GOROOT.
var goCommand = func() string {
	if runtime.GOOS == "windows" {
		return "bin/go.exe"
	}
	return "bin/go"
}()

// Prepare makes ready what the go command of PATH needs in order to build with the
// patched runtime: once in the user's cache folder, later it is found there. It takes
// some milliseconds then, most of them for asking the go command. For a Go that the go
// command downloaded it copies that Go first, some 250 MB.
//
// The directory it is called in counts as it does for the go command: go.mod and go.work
// may choose another Go. If the patches do not fit that Go, its sources are not there, the
// cache folder cannot be written, or GOFLAGS has an overlay already, then the result is
// not Exact and says Why, without an error. There is an error if the go command does not
// answer, or the context ends.
//
// Any number of goroutines and processes may call it at once.
func Prepare(ctx context.Context) (Toolchain, error) {
	additions, err := readAdditions()
	if err != nil {
		return Toolchain{}, err
	}
	return prepare(ctx, os.UserCacheDir, patches, additions)
}

// readAdditions are the embedded files.
func readAdditions() ([]addition, error) {
	var additions []addition
	for file, name := range added {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		additions = append(additions, addition{file, string(text)})
	}
	return additions, nil
}

// prepare is Prepare with other patches, and with its cache in another folder.
func prepare(ctx context.Context, folder func() (string, error), patches []patch, additions []addition) (Toolchain, error) {
	settings, err := ask(ctx)
	if err != nil {
		return Toolchain{}, err
	}
	plain := Toolchain{Go: settings.path, Version: settings.GOVERSION, Root: settings.GOROOT, flags: settings.GOFLAGS}
	exact, err := plain.patch(ctx, folder, settings.GOMODCACHE, patches, additions)
	if ended := ctx.Err(); ended != nil {
		return Toolchain{}, fmt.Errorf("prepare %s for exact replay: %w", plain.Version, context.Cause(ctx))
	}
	if err != nil {
		plain.Why = err.Error()
		return plain, nil
	}
	return exact, nil
}

// settings are those of the go command.
type settings struct {
	path                                   string
	GOVERSION, GOROOT, GOMODCACHE, GOFLAGS string
}

// ask asks the go command of PATH, in the current directory.
func ask(ctx context.Context) (settings, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return settings{}, fmt.Errorf("find the go command: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, "env", "-json", "GOVERSION", "GOROOT", "GOMODCACHE", "GOFLAGS")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	s := settings{path: path}
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		return settings{}, fmt.Errorf("ask %s for its settings: %w: %s", path, err, bytes.TrimSpace(said.Bytes()))
	}
	return s, nil
}

// patch is the toolchain with patches. The error says why that cannot be, in a sentence.
func (t Toolchain) patch(ctx context.Context, folder func() (string, error), modules string, patches []patch, additions []addition) (Toolchain, error) {
	caches, err := folder()
	if err != nil {
		return t, fmt.Errorf("there is no folder to keep the patched runtime in: %w", err)
	}
	t.cache = cache{filepath.Join(caches, "rejoin", "replay")}
	if err := t.noOverlay(); err != nil {
		return t, err
	}
	if beneath(modules, t.Root) {
		if t.Root, err = copyRoot(ctx, t.cache, t.Version, t.Root); err != nil {
			return t, fmt.Errorf("%s cannot be copied out of the module cache, where it cannot be patched: %w", t.Version, err)
		}
	}
	t.Go = filepath.Join(t.Root, filepath.FromSlash(goCommand))
	if _, err := os.Stat(t.Go); err != nil {
		return t, fmt.Errorf("%s has no go command in its own folder: %w", t.Version, err)
	}
	content, err := patched(t.Version, t.Root, patches, additions)
	if errors.Is(err, errNoSources) {
		return t, fmt.Errorf("%s cannot be patched: %w in %s", t.Version, err, filepath.Join(t.Root, "src"))
	}
	if err != nil {
		return t, err
	}
	t.Overlay, err = newOverlay(t.Version, t.Root, content).install(t.cache)
	if err != nil {
		return t, fmt.Errorf("the cache folder cannot keep the patched runtime: %w", err)
	}
	if _, err := quoteFlag("-overlay=" + t.Overlay); err != nil {
		return t, err
	}
	t.Exact = true
	return t, nil
}

// noOverlay is an error if GOFLAGS has an overlay that is not of this cache.
func (t Toolchain) noOverlay() error {
	flags, err := splitFlags(t.flags)
	if err != nil {
		return err
	}
	for _, flag := range flags {
		if file, ok := overlayOf(flag); ok && file != "" && !t.cache.owns(file) {
			return fmt.Errorf("GOFLAGS has an overlay already, and the go command takes only one: %s", flag)
		}
	}
	return nil
}

// owns tells whether a file for go build -overlay is one of the cache.
func (c cache) owns(file string) bool {
	return filepath.Base(file) == overlayFile && filepath.Dir(filepath.Dir(file)) == c.dir
}

// Command is a command that runs with the toolchain, for os/exec: the name "go" means
// t.Go, and its environment is t.Environ(os.Environ()). It is killed when the context ends.
func (t Toolchain) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == "go" && t.Go != "" {
		name = t.Go
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = t.Environ(os.Environ())
	return cmd
}
