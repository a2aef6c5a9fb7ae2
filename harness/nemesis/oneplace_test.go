package nemesis_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
)

// exempt are files that decide by a name of a kind for another reason, and the reason.
var exempt = map[string]string{
	"harness/journal/version1.go": "a journal of version 1 has texts, and one of them is the name of a kind",
}

// mention is a place where a kind is named.
type mention struct{ file, what string }

// declaration is the file that declares a kind, and its identifier.
type declaration struct{ file, identifier string }

const packagePath = "harness/nemesis"

// module returns the root of the module.
func module() string {
	GinkgoHelper()
	root, err := filepath.Abs("../..")
	Expect(err).NotTo(HaveOccurred())
	Expect(filepath.Join(root, "go.mod")).To(BeARegularFile())
	return root
}

// parse parses all files of the module that are no tests, by their names.
func parse(root string) map[string]*ast.File {
	GinkgoHelper()
	files := make(map[string]*ast.File)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") || entry.Name() == "reports"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err == nil {
			files[filepath.ToSlash(name)], err = parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		}
		return err
	})
	Expect(err).NotTo(HaveOccurred())
	return files
}

// declarations returns where each kind is declared: variables of package nemesis that are literals of Kind.
func declarations(files map[string]*ast.File) (all []declaration) {
	for name, file := range files {
		if filepath.ToSlash(filepath.Dir(name)) != packagePath {
			continue
		}
		for _, d := range file.Decls {
			general, is := d.(*ast.GenDecl)
			if !is || general.Tok != token.VAR {
				continue
			}
			for _, spec := range general.Specs {
				for i, v := range spec.(*ast.ValueSpec).Values {
					if l, is := v.(*ast.CompositeLit); is && fmt.Sprint(l.Type) == "Kind" {
						all = append(all, declaration{name, spec.(*ast.ValueSpec).Names[i].Name})
					}
				}
			}
		}
	}
	return all
}

// mentions returns where kinds are named: by their identifiers anywhere, and by their names as text where
// something is decided or a fault is made: in cases, comparisons and values of a field Kind or Name.
func mentions(files map[string]*ast.File, identifiers, names map[string]bool) (all []mention) {
	for name, file := range files {
		inPackage := filepath.ToSlash(filepath.Dir(name)) == packagePath
		selected := make(map[*ast.Ident]bool) // names of other packages, and of fields
		ast.Inspect(file, func(n ast.Node) bool {
			for _, text := range deciding(n) {
				if names[text] {
					all = append(all, mention{name, strconv.Quote(text)})
				}
			}
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if from, is := n.X.(*ast.Ident); is && from.Name == "nemesis" && identifiers[n.Sel.Name] {
					all = append(all, mention{name, n.Sel.Name})
				}
				selected[n.Sel] = true
			case *ast.Ident:
				if inPackage && identifiers[n.Name] && !selected[n] {
					all = append(all, mention{name, n.Name})
				}
			}
			return true
		})
	}
	return all
}

// deciding returns the texts of a node of the syntax that decides by them.
func deciding(n ast.Node) (texts []string) {
	var by []ast.Expr
	switch n := n.(type) {
	case *ast.CaseClause:
		by = n.List
	case *ast.BinaryExpr:
		by = []ast.Expr{n.X, n.Y}
	case *ast.KeyValueExpr:
		if key, is := n.Key.(*ast.Ident); is && (key.Name == "Kind" || key.Name == "Name") {
			by = []ast.Expr{n.Value}
		}
	}
	for _, e := range by {
		if literal, is := e.(*ast.BasicLit); is && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

var _ = Describe("A kind of fault", func() {
	It("is declared in a file of its own, and named nowhere else but in the list", func() {
		files := parse(module())
		declared := declarations(files)
		Expect(declared).To(HaveLen(len(nemesis.All())), "kinds that are declared, and kinds in the list")
		home, identifiers, names := make(map[string]string), make(map[string]bool), make(map[string]bool)
		for _, d := range declared {
			Expect(home).NotTo(ContainElement(d.file), "two kinds are declared in one file")
			home[d.identifier], identifiers[d.identifier] = d.file, true
		}
		for _, k := range nemesis.All() {
			names[string(k.Name)] = true
		}
		for _, mode := range fault.Modes() { // those kinds take their names from package fault
			delete(names, string(mode))
		}
		decides := make(map[string]bool)
		for _, m := range mentions(files, identifiers, names) {
			if _, is := exempt[m.file]; is {
				decides[m.file] = true
				continue
			}
			if m.file == packagePath+"/all.go" {
				continue
			}
			owner := home[m.what]
			if owner == "" { // its name as text: it belongs to the file of any kind
				Expect(home).To(ContainElement(m.file), "%s names the kind %s: ask for a property of a kind instead", m.file, m.what)
				continue
			}
			Expect(m.file).To(Equal(owner), "%s names the kind %s: ask for a property of a kind instead", m.file, m.what)
		}
		for file, reason := range exempt {
			Expect(decides).To(HaveKey(file), "it is not exempt any longer, because %s", reason)
		}
	})

	It("is found where it is named", func() {
		file, err := parser.ParseFile(token.NewFileSet(), "", `package p
func f(k fault.Kind) bool { switch k { case "wipe": return true }; return k == nemesis.Crash.Name || k != "wipe" }
var g = fault.Fault{Kind: "wipe"}
const text = "wipe"`, 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(mentions(map[string]*ast.File{"p/p.go": file}, map[string]bool{"Crash": true}, map[string]bool{"wipe": true})).To(
			ConsistOf(mention{"p/p.go", "Crash"}, mention{"p/p.go", `"wipe"`}, mention{"p/p.go", `"wipe"`}, mention{"p/p.go", `"wipe"`}))
	})
})
