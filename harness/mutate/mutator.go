package mutate

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// The import of the changed code, and its name.
const (
	switchPackage = "github.com/rejoin-db/rejoin/harness/mutate/mutant"
	alias         = "rejoinMutant"
)

// mutator makes the mutants of one file.
type mutator struct {
	fset   *token.FileSet
	file   *ast.File
	source []byte
	info   *types.Info
	pkg    *types.Package
	sites  *[]Site
	named  map[types.Object]int // mutants of named constants: one mutant changes all uses
	at     Site
	edits  []edit
	alike  map[string]int // number of sites so far, by key

	skip    map[ast.Node]bool // nodes not to visit
	judged  map[ast.Expr]bool // conditions
	message []ast.Node        // calls that make text for people: numbers in them are not mutated
}

func (m *mutator) offset(p token.Pos) int { return m.fset.Position(p).Offset }

func (m *mutator) text(n ast.Node) string {
	return string(m.source[m.offset(n.Pos()):m.offset(n.End())])
}

// add adds a mutant and returns its number.
func (m *mutator) add(n ast.Node, operator Operator, was, now string) int {
	s := m.at
	s.ID, s.Line, s.Operator, s.Was, s.Now = len(*m.sites)+1, m.fset.Position(n.Pos()).Line, operator, short(was), short(now)
	key := s.Key()
	s.Alike = m.alike[key]
	m.alike[key]++
	*m.sites = append(*m.sites, s)
	return s.ID
}

// run returns the changed file; nil if there is nothing to mutate.
func (m *mutator) run() []byte {
	m.alike, m.skip, m.judged = make(map[string]int), make(map[ast.Node]bool), make(map[ast.Expr]bool)
	for _, d := range m.file.Decls {
		f, is := d.(*ast.FuncDecl)
		if !is || f.Body == nil || f.Recv != nil && slices.Contains(words, f.Name.Name) {
			continue
		}
		m.at.Func = f.Name.Name
		ast.Inspect(f.Body, m.visit)
	}
	if len(m.edits) == 0 {
		return nil
	}
	return m.edited()
}

// words are methods that only format text.
var words = []string{"String", "Error", "GoString", "GomegaString"}

// visit makes the mutants of a node. It reports whether to visit its children.
func (m *mutator) visit(n ast.Node) bool {
	if n == nil || m.skip[n] {
		return false
	}
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok != token.CONST
	case *ast.ArrayType:
		return n.Len == nil
	case *ast.CompositeLit:
		m.keys(n)
	case *ast.IfStmt:
		m.condition(n.Cond)
	case *ast.ForStmt:
		m.condition(n.Cond)
	case *ast.SwitchStmt:
		m.cases(n)
	case *ast.BlockStmt:
		m.statements(n.List)
	case *ast.CaseClause:
		m.statements(n.Body)
	case *ast.CommClause:
		m.statements(n.Body)
	case *ast.ReturnStmt:
		m.returned(n)
	case *ast.CallExpr:
		if speaks(n) {
			m.message = append(m.message, n)
		}
	case ast.Expr:
		return m.expression(n)
	}
	return true
}

// keys skips the indexes in a composite literal, which must be constants.
func (m *mutator) keys(literal *ast.CompositeLit) {
	for _, e := range literal.Elts {
		if pair, is := e.(*ast.KeyValueExpr); is && m.info.Types[pair.Key].Value != nil {
			m.skip[pair.Key] = true
		}
	}
}

// cases makes mutants of the conditions of a switch without a tag. In a switch with a tag it skips the values: the
// compiler requires that they differ.
func (m *mutator) cases(s *ast.SwitchStmt) {
	for _, c := range s.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			if s.Tag == nil {
				m.condition(e)
			} else if m.info.Types[e].Value != nil {
				m.skip[e] = true
			}
		}
	}
}

func (m *mutator) condition(e ast.Expr) {
	if e == nil || m.info.Types[e].Value != nil {
		return
	}
	m.judged[e] = true
	if operator, is := aboutError(e); is {
		id := m.add(e, IgnoreError, m.text(e), fmt.Sprint(operator == token.EQL))
		m.wrap(e, fmt.Sprintf("%s.Either(%d, ", alias, id), fmt.Sprintf(", %t)", operator == token.EQL))
		return
	}
	id := m.add(e, Negate, m.text(e), "!("+m.text(e)+")")
	m.wrap(e, fmt.Sprintf("%s.Not(%d, ", alias, id), ")")
}

// aboutError reports whether the condition compares an error with nil, and with which operator.
func aboutError(e ast.Expr) (token.Token, bool) {
	b, is := e.(*ast.BinaryExpr)
	if !is || b.Op != token.EQL && b.Op != token.NEQ {
		return 0, false
	}
	x, named := b.X.(*ast.Ident)
	y, null := b.Y.(*ast.Ident)
	return b.Op, named && null && y.Name == "nil" && isErrName(x.Name)
}

func isErrName(name string) bool { return strings.HasPrefix(strings.ToLower(name), "err") }

// returned makes the mutant of a returned error variable.
func (m *mutator) returned(s *ast.ReturnStmt) {
	if len(s.Results) == 0 {
		return
	}
	last, is := s.Results[len(s.Results)-1].(*ast.Ident)
	if !is || !isErrName(last.Name) {
		return
	}
	if t := m.info.Types[last].Type; t == nil || t.String() != "error" {
		return
	}
	id := m.add(last, ReturnNil, "return "+last.Name, "return nil")
	m.wrap(last, fmt.Sprintf("%s.Nil(%d, ", alias, id), ")")
}

// read reports whether the node is part of a text for people.
func (m *mutator) read(n ast.Node) bool {
	return slices.ContainsFunc(m.message, func(text ast.Node) bool { return text.Pos() <= n.Pos() && n.End() <= text.End() })
}

// speaks reports whether a call makes text for people.
func speaks(c *ast.CallExpr) bool {
	switch called(c) {
	case "Errorf", "New", "Sprintf", "Sprint", "Fprintf", "Fprintln", "Fprint", "Printf", "Println", "Begin", "Named", "panic":
		return true
	}
	return logs(c)
}

// logs reports whether a call writes to a log.
func logs(c *ast.CallExpr) bool {
	if _, method := c.Fun.(*ast.SelectorExpr); !method || len(c.Args) == 0 {
		return false
	}
	switch called(c) {
	case "Debug", "Info", "Warn", "Error", "Trace", "Fprintf", "Fprintln", "Printf", "Println":
		return true
	}
	return false
}

// called returns the unqualified name of the called function; "" if it has none.
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
