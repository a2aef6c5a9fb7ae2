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

// Go returns a go command with its environment and the given arguments.
type Go func(ctx context.Context, args ...string) *exec.Cmd

// Build is the input of a build with mutants.
type Build struct {
	Sites []Site
	Files map[string][]byte // changed files by absolute path
}

// Make makes the mutants of the packages that match the patterns, without their tests. File names in sites are
// relative to root. It runs the go command, which compiles the packages, and blocks until that ends. It changes no
// files on disk. It returns an error if there is nothing to mutate.
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
		return Build{}, fmt.Errorf("nothing to mutate in %s", strings.Join(patterns, " "))
	}
	return b, nil
}

// listed is a package in the output of go list.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, CgoFiles       []string
	DepOnly                 bool
}

// list returns the packages that match the patterns, and the export data of all their imports.
func list(ctx context.Context, command Go, patterns []string) (meant []listed, exports map[string]string, err error) {
	fields := "-json=ImportPath,Dir,Export,GoFiles,CgoFiles,DepOnly"
	c := command(ctx, append([]string{"list", "-export", "-deps", fields}, patterns...)...)
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

// add makes the mutants of one package. It skips files that import C, because their types are unknown.
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
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	config := types.Config{FakeImportC: true, Error: func(error) {}, Importer: importer.ForCompiler(fset, "gc", open)}
	checked, err := config.Check(p.ImportPath, fset, files, info)
	if err != nil && len(p.CgoFiles) == 0 { // with cgo, errors about C declarations are expected
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
