package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/mutate"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// build holds the test binaries of the suite and of packages, with all mutants in them. After prepare and compile, it
// is safe for concurrent use.
type build struct {
	toolchain replay.Toolchain
	own       *rundir.Dir
	root      string // of the module
	overlay   string
	sites     []mutate.Site
	suite     tests
	units     map[string]tests // by package
}

// tests is one test binary.
type tests struct {
	binary, dir string           // binary is empty if there are no tests
	reach       map[int][]string // specs that reach each mutant; "" stands for those of a package's tests
	took        time.Duration    // run time without a mutant
}

// telling is a test file for the suite. It tells package mutant which spec runs.
//
//go:embed telling.go.txt
var telling []byte

// prepare makes the mutants.
func prepare(ctx context.Context, patterns []string) (*build, error) {
	toolchain, err := replay.Prepare(ctx)
	if err != nil {
		return nil, err
	}
	if !toolchain.Exact {
		fmt.Fprintln(os.Stderr, "mutants: replay is not exact, so another run may differ:", toolchain.Why)
	}
	own, err := rundir.New("", "mutants-")
	if err != nil {
		return nil, err
	}
	b := &build{toolchain: toolchain, own: own, units: make(map[string]tests)}
	if err := b.make(ctx, patterns); err != nil {
		return nil, errors.Join(err, b.remove())
	}
	return b, nil
}

func (b *build) remove() error { return b.own.Remove() }

func (b *build) make(ctx context.Context, patterns []string) error {
	root, err := b.toolchain.Command(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	b.root = strings.TrimSpace(string(root))
	made, err := mutate.Make(ctx, b.command, b.root, patterns...)
	if err != nil {
		return err
	}
	b.sites = made.Sites
	made.Files[filepath.Join(b.root, "telling_test.go")] = telling
	return b.lay(made.Files)
}

// command returns the go command with these arguments, in the module's root.
func (b *build) command(ctx context.Context, args ...string) *exec.Cmd {
	c := b.toolchain.Command(ctx, "go", args...)
	c.Dir = b.root
	return c
}

// lay writes the changed files, and the list for go build -overlay with these and the files that the toolchain
// replaces.
func (b *build) lay(files map[string][]byte) error {
	var list struct{ Replace map[string]string }
	if b.toolchain.Exact {
		content, err := os.ReadFile(b.toolchain.Overlay)
		if err == nil {
			err = json.Unmarshal(content, &list)
		}
		if err != nil {
			return fmt.Errorf("read the overlay for exact replay: %w", err)
		}
	} else {
		list.Replace = make(map[string]string)
	}
	i := 0
	for path, content := range files {
		i++
		changed := filepath.Join(b.own.Path(), strconv.Itoa(i)+".go")
		if err := os.WriteFile(changed, content, 0o666); err != nil {
			return err
		}
		list.Replace[path] = changed
	}
	content, err := json.Marshal(list)
	if err != nil {
		return err
	}
	b.overlay = filepath.Join(b.own.Path(), "overlay.json")
	return os.WriteFile(b.overlay, content, 0o666)
}

// sample returns the mutants to try.
func (b *build) sample(o options) ([]mutate.Site, error) {
	if o.only == "" {
		return draw(b.sites, o.number, o.seed), nil
	}
	var sites []mutate.Site
	for text := range strings.SplitSeq(o.only, ",") {
		id, err := strconv.Atoi(text)
		if err != nil || id < 1 || id > len(b.sites) {
			return nil, fmt.Errorf("no mutant %q: the numbers are 1 to %d", text, len(b.sites))
		}
		sites = append(sites, b.sites[id-1])
	}
	return sites, nil
}

// draw draws mutants at random. The share of each package is proportional to the square root of its number of
// mutants, so that large packages do not crowd out small ones.
func draw(sites []mutate.Site, number int, seed uint64) []mutate.Site {
	type drawn struct {
		mutate.Site
		place float64
	}
	random := rand.New(rand.NewPCG(seed, 0))
	byPackage := make(map[string][]mutate.Site)
	for _, s := range sites {
		byPackage[s.Package] = append(byPackage[s.Package], s)
	}
	var all []drawn
	for _, name := range slices.Sorted(maps.Keys(byPackage)) {
		share := math.Sqrt(float64(len(byPackage[name])))
		for i, at := range random.Perm(len(byPackage[name])) {
			all = append(all, drawn{byPackage[name][at], (float64(i) + random.Float64()) / share})
		}
	}
	slices.SortFunc(all, func(a, b drawn) int { return cmp.Compare(a.place, b.place) })
	sample := make([]mutate.Site, min(number, len(all)))
	for i := range sample {
		sample[i] = all[i].Site
	}
	return sample
}

// compile builds the suite, and the tests of the packages of the sample.
func (b *build) compile(ctx context.Context, sample []mutate.Site) error {
	fmt.Printf("%d mutants in %s; compiling\n", len(b.sites), plural(len(sample), "to try", "to try"))
	var err error
	if b.suite, err = b.compileOne(ctx, "."); err != nil {
		return err
	}
	for _, s := range sample {
		if _, done := b.units[s.Package]; done {
			continue
		}
		if b.units[s.Package], err = b.compileOne(ctx, s.Package); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) compileOne(ctx context.Context, pkg string) (tests, error) {
	dir, err := b.command(ctx, "list", "-f", "{{.Dir}}", pkg).Output()
	if err != nil {
		return tests{}, fmt.Errorf("find %s: %w", pkg, err)
	}
	binary := filepath.Join(b.own.Path(), fmt.Sprintf("tests-%d", len(b.units)))
	t := tests{dir: strings.TrimSpace(string(dir)), binary: binary}
	if pkg == "." {
		t.binary = filepath.Join(b.own.Path(), "suite")
	}
	if said, err := b.command(ctx, "test", "-c", "-overlay="+b.overlay, "-o", t.binary, pkg).CombinedOutput(); err != nil {
		return tests{}, fmt.Errorf("compile the tests of %s with mutants: %w\n%s", pkg, err, bytes.TrimSpace(said))
	}
	if _, err := os.Stat(t.binary); errors.Is(err, fs.ErrNotExist) {
		t.binary = "" // the package has no tests
	}
	return t, nil
}
