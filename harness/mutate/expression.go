package mutate

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// expression makes the mutants of a comparison or a number. It reports whether to visit the parts of the expression.
func (m *mutator) expression(e ast.Expr) bool {
	if value := m.info.Types[e]; value.Value != nil {
		if !m.read(e) {
			m.number(e, value)
		}
		return false
	}
	comparison, is := e.(*ast.BinaryExpr)
	if !is || m.read(e) {
		return true
	}
	if other, ordered := neighbours[comparison.Op]; ordered && pure(comparison) {
		now := fmt.Sprintf("%s %s %s", m.text(comparison.X), other, m.text(comparison.Y))
		id := m.add(e, Boundary, m.text(e), now)
		m.wrap(e, fmt.Sprintf("%s.Either(%d, ", alias, id), ", "+now+")")
	} else if (comparison.Op == token.EQL || comparison.Op == token.NEQ) && !m.judged[e] {
		id := m.add(e, Equal, m.text(e), "!("+m.text(e)+")")
		m.wrap(e, fmt.Sprintf("%s.Not(%d, ", alias, id), ")")
	}
	return true
}

// neighbours pairs the comparisons that differ only for equal values.
var neighbours = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
}

// pure reports whether an expression may be evaluated twice.
func pure(e ast.Expr) bool {
	is := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch called(n) {
			case "len", "cap", "min", "max", "int", "int64", "uint64", "Len", "Size", "Sub", "Since", "Now", "Index", "Load":
			default:
				is = false
			}
		case *ast.FuncLit:
			is = false
		case *ast.UnaryExpr:
			is = is && n.Op != token.ARROW
		}
		return is
	})
	return is
}

// number makes the mutant of a number.
func (m *mutator) number(e ast.Expr, value types.TypeAndValue) {
	name, is := m.numeric(value)
	if !is {
		return
	}
	if literal, is := e.(*ast.BasicLit); is && literal.Kind == token.CHAR {
		return
	}
	_, literal := e.(*ast.BasicLit)
	operator, function, now := Constant, "Plus", m.text(e)+"+1"
	if strings.HasSuffix(value.Type.String(), "time.Duration") && !literal {
		operator, function, now = Duration, "Times", m.text(e)+"*10"
	}
	id := m.shared(e)
	if id == 0 {
		id = m.add(e, operator, m.text(e), now)
		m.share(e, id)
	}
	m.wrap(e, fmt.Sprintf("%s.%s[%s](%d, ", alias, function, name, id), ")")
}

// shared returns the existing mutant of a named constant of the package; 0 if there is none.
func (m *mutator) shared(e ast.Expr) int { return m.named[m.declared(e)] }

func (m *mutator) share(e ast.Expr, id int) {
	if object := m.declared(e); object != nil {
		m.named[object] = id
	}
}

// declared returns the constant of the package that an expression names; nil if it is none.
func (m *mutator) declared(e ast.Expr) types.Object {
	name, is := e.(*ast.Ident)
	if !is {
		return nil
	}
	object, is := m.info.Uses[name].(*types.Const)
	if !is || m.pkg == nil || object.Parent() != m.pkg.Scope() {
		return nil
	}
	return object
}

// numeric returns the name of a numeric type in the file; is is false for other types.
func (m *mutator) numeric(value types.TypeAndValue) (name string, is bool) {
	basic, is := value.Type.Underlying().(*types.Basic)
	if !is || basic.Info()&types.IsNumeric == 0 || basic.Info()&types.IsComplex != 0 ||
		value.Value.Kind() != constant.Int && value.Value.Kind() != constant.Float {
		return "", false
	}
	if basic.Info()&types.IsUntyped != 0 { // next to a C declaration, whose type is unknown
		return "", false
	}
	known := true
	name = types.TypeString(value.Type, func(p *types.Package) string {
		if p == m.pkg {
			return ""
		}
		for _, i := range m.file.Imports {
			if strings.Trim(i.Path.Value, `"`) != p.Path() {
				continue
			}
			if i.Name != nil {
				return i.Name.Name
			}
			return p.Name()
		}
		known = false
		return p.Name()
	})
	return name, known && !strings.Contains(name, "_Ctype")
}
