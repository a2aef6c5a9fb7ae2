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

// Toolchain is a Go toolchain that builds with the patched runtime, or the installed one as it is if that is not
// possible. It holds no resources and is safe for concurrent use.
type Toolchain struct {
	Go      string // path of the go command
	Version string // for example "go1.26.8"
	Root    string // its GOROOT
	Exact   bool   // whether the programs that it builds replay exactly
	Why     string // why not, in one sentence; empty if Exact
	Overlay string // the file for go build -overlay; empty if not Exact

	flags string // GOFLAGS of the go command without Environ
	cache cache
}

// goCommand is the path of the go command in a GOROOT.
var goCommand = func() string {
	if runtime.GOOS == "windows" {
		return "bin/go.exe"
	}
	return "bin/go"
}()

// Prepare prepares the go command of PATH to build with the patched runtime. It writes the patched files to the user's
// cache folder once; later calls find them there and take some milliseconds, most of them for running the go command.
// If that Go is a release that the go command downloaded, Prepare copies it first (some 250 MB).
//
// The current directory matters as it does for the go command: go.mod and go.work may select another Go. If the
// patches do not fit that Go, its sources are missing, the cache folder is not writable, or GOFLAGS has an overlay
// already, the result is not Exact and has a Why, and the error is nil. Prepare returns an error if the go command
// fails or the context ends.
//
// Prepare is safe for concurrent use, also by several processes.
func Prepare(ctx context.Context) (Toolchain, error) {
	additions, err := readAdditions()
	if err != nil {
		return Toolchain{}, err
	}
	return prepare(ctx, os.UserCacheDir, patches, additions)
}

// readAdditions returns the embedded files.
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

// prepare is Prepare with given patches and a given cache folder.
func prepare(ctx context.Context, folder func() (string, error), patches []patch, additions []addition) (Toolchain, error) {
	settings, err := ask(ctx)
	if err != nil {
		return Toolchain{}, err
	}
	plain := Toolchain{Go: settings.path, Version: settings.GOVERSION, Root: settings.GOROOT, flags: settings.GOFLAGS}
	exact, err := plain.patch(ctx, folder, settings.GOMODCACHE, patches, additions)
	if ctx.Err() != nil {
		return Toolchain{}, fmt.Errorf("prepare %s for exact replay: %w", plain.Version, context.Cause(ctx))
	}
	if err != nil {
		plain.Why = err.Error()
		return plain, nil
	}
	return exact, nil
}

// settings are settings of the go command.
type settings struct {
	path                                   string
	GOVERSION, GOROOT, GOMODCACHE, GOFLAGS string
}

// ask runs the go command of PATH in the current directory.
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
		return settings{}, fmt.Errorf("read the settings of %s: %w: %s", path, err, bytes.TrimSpace(said.Bytes()))
	}
	return s, nil
}

// patch returns the toolchain with patches. The error is a sentence that says why that is not possible.
func (t Toolchain) patch(
	ctx context.Context, folder func() (string, error), modules string, patches []patch, additions []addition,
) (Toolchain, error) {
	caches, err := folder()
	if err != nil {
		return t, fmt.Errorf("no cache folder for the patched runtime: %w", err)
	}
	t.cache = cache{filepath.Join(caches, "rejoin", "replay")}
	if err := t.noOverlay(); err != nil {
		return t, err
	}
	if beneath(modules, t.Root) {
		if t.Root, err = copyRoot(ctx, t.cache, t.Version, t.Root); err != nil {
			return t, fmt.Errorf("cannot copy %s out of the module cache, where overlays do not apply: %w", t.Version, err)
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
		return t, fmt.Errorf("cannot write the patched runtime to the cache folder: %w", err)
	}
	if _, err := quoteFlag("-overlay=" + t.Overlay); err != nil {
		return t, err
	}
	t.Exact = true
	return t, nil
}

// noOverlay returns an error if GOFLAGS has an overlay that does not belong to this cache.
func (t Toolchain) noOverlay() error {
	flags, err := splitFlags(t.flags)
	if err != nil {
		return err
	}
	for _, flag := range flags {
		if file, ok := overlayOf(flag); ok && file != "" && !t.cache.owns(file) {
			return fmt.Errorf("GOFLAGS already has an overlay, and the go command accepts only one: %s", flag)
		}
	}
	return nil
}

// owns reports whether a file for go build -overlay belongs to the cache.
func (c cache) owns(file string) bool {
	return filepath.Base(file) == overlayFile && filepath.Dir(filepath.Dir(file)) == c.dir
}

// Command returns a command that runs with the toolchain: the name "go" stands for t.Go, and the environment is
// t.Environ(os.Environ()). The command is killed when the context ends.
func (t Toolchain) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == "go" && t.Go != "" {
		name = t.Go
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = t.Environ(os.Environ())
	return cmd
}
