package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// source is a package as go list shows it.
type source struct {
	ImportPath, Dir   string
	GoFiles, CgoFiles []string
	ImportMap         map[string]string
}

// mostErrors bounds how many type errors are shown.
const mostErrors = 20

// typeErrors checks the packages and all that they import, from their source, in the order
// of their imports. It looks into the functions of this module only.
func typeErrors(ctx context.Context, on platform, packages []string) error {
	args := append([]string{"list", "-deps", "-json=ImportPath,Dir,GoFiles,CgoFiles,ImportMap"}, paths(packages)...)
	listed, err := command(ctx, on.environment("1"), args...)
	if err != nil {
		return err
	}
	files, checked := token.NewFileSet(), map[string]*types.Package{"unsafe": types.Unsafe}
	for decoder := json.NewDecoder(strings.NewReader(listed)); ; {
		var s source
		if err := decoder.Decode(&s); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read what go list says: %w", err)
		}
		if s.ImportPath == "unsafe" {
			continue
		}
		p, err := s.check(on, files, checked)
		if err != nil {
			return err
		}
		checked[s.ImportPath] = p
	}
}

func (s source) check(on platform, files *token.FileSet, checked map[string]*types.Package) (*types.Package, error) {
	var parsed []*ast.File
	for _, name := range slices.Concat(s.GoFiles, s.CgoFiles) {
		file, err := parser.ParseFile(files, filepath.Join(s.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	own := strings.HasPrefix(s.ImportPath, module)
	var found []error
	config := types.Config{
		Importer: importer(func(path string) (*types.Package, error) {
			if mapped := s.ImportMap[path]; mapped != "" {
				path = mapped
			}
			if p := checked[path]; p != nil {
				return p, nil
			}
			return nil, fmt.Errorf("%s is not listed", path)
		}),
		FakeImportC:      true, // no C compiler for that system is needed
		IgnoreFuncBodies: !own,
		Sizes:            types.SizesFor(runtime.Compiler, on.architecture),
		Error: func(err error) {
			if !strings.Contains(err.Error(), "invalid type") { // as is all that comes from C
				found = append(found, err)
			}
		},
	}
	p, err := config.Check(s.ImportPath, files, parsed, nil)
	if own && len(found) > 0 {
		return nil, errors.Join(found[:min(len(found), mostErrors)]...)
	}
	if p == nil {
		return nil, err
	}
	return p, nil
}

// importer is a function as a types.Importer.
type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }
