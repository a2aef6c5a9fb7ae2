package mutate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Go is a go command, with its environment. Its arguments follow.
type Go func(ctx context.Context, args ...string) *exec.Cmd

// Build is what a build with mutants needs.
type Build struct {
	Sites []Site
	Files map[string][]byte // the changed files, by their path
}

// Make makes the mutants of packages, as patterns of the go command, without their tests.
// It runs the go command, which compiles them, and blocks until that has ended. The files on
// the disk are left as they are.
func Make(ctx context.Context, command Go, root string, patterns ...string) (Build, error) {
	packages, exports, err := list(ctx, command, patterns)
	if err != nil {
		return Build{}, err
	}
	b := Build{Files: make(map[string][]byte)}
	for _, p := range packages {
		if err := b.add(p, exports, root); err != nil {
			return Build{}, fmt.Errorf("make mutants of %s: %w", p.ImportPath, err)
		}
	}
	if len(b.Sites) == 0 {
		return Build{}, fmt.Errorf("there is nothing to change in %s", strings.Join(patterns, " "))
	}
	return b, nil
}

// listed is a package, as the go command lists it.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, CgoFiles       []string
	DepOnly                 bool
}

// list are the packages that are meant, and the export data of all that they import.
func list(ctx context.Context, command Go, patterns []string) (meant []listed, exports map[string]string, err error) {
	c := command(ctx, append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,CgoFiles,DepOnly"}, patterns...)...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("list %s: %w: %s", strings.Join(patterns, " "), err, bytes.TrimSpace(said.Bytes()))
	}
	exports = make(map[string]string)
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return meant, exports, nil
		} else if err != nil {
			return nil, nil, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			meant = append(meant, p)
		}
	}
}

// add makes the mutants of one package. Files that import C stay as they are: the types in
// them are not known.
func (b *Build) add(p listed, exports map[string]string, root string) error {
	fset := token.NewFileSet()
	var files []*ast.File
	var sources [][]byte
	var paths []string
	for _, name := range append(p.GoFiles, p.CgoFiles...) {
		path := filepath.Join(p.Dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, path, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files, sources, paths = append(files, file), append(sources, source), append(paths, path)
	}
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Uses: make(map[*ast.Ident]types.Object)}
	config := types.Config{FakeImportC: true, Error: func(error) {}, Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	checked, err := config.Check(p.ImportPath, fset, files, info)
	if err != nil && len(p.CgoFiles) == 0 { // what C declares is not known here
		return err
	}
	named := make(map[types.Object]int)
	for i, file := range files {
		if i >= len(p.GoFiles) {
			break
		}
		relative, err := filepath.Rel(root, paths[i])
		if err != nil {
			return err
		}
		f := &mutator{fset: fset, file: file, source: sources[i], info: info, pkg: checked, sites: &b.Sites, named: named,
			at: Site{Package: p.ImportPath, File: filepath.ToSlash(relative)}}
		if changed := f.run(); changed != nil {
			b.Files[paths[i]] = changed
		}
	}
	return nil
}
