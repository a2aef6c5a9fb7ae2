package mutate

import (
	"fmt"
	"go/ast"
	"go/token"
)

// statements makes mutants that remove a statement.
func (m *mutator) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if c, is := s.X.(*ast.CallExpr); is && !logs(c) && !locks(c) && called(c) != "panic" {
				m.leaveOut(s, DropCall)
			}
		case *ast.AssignStmt:
			m.assignment(s)
		case *ast.IncDecStmt:
			if _, is := s.X.(*ast.SelectorExpr); is {
				m.leaveOut(s, DropAssign)
			}
		case *ast.DeferStmt:
			if !locks(s.Call) {
				m.leaveOut(s, DropDefer)
			}
		case *ast.BranchStmt:
			if s.Tok == token.CONTINUE || s.Tok == token.BREAK {
				m.leaveOut(s, DropBranch)
			}
		}
	}
}

// assignment removes an assignment to a field or an element, or a call whose result is discarded.
func (m *mutator) assignment(s *ast.AssignStmt) {
	if s.Tok == token.DEFINE || len(s.Lhs) != 1 {
		return
	}
	switch to := s.Lhs[0].(type) {
	case *ast.SelectorExpr, *ast.IndexExpr:
		m.leaveOut(s, DropAssign)
	case *ast.Ident:
		if c, is := s.Rhs[0].(*ast.CallExpr); is && to.Name == "_" && !logs(c) {
			m.leaveOut(s, DropCall)
		}
	}
}

func (m *mutator) leaveOut(s ast.Stmt, operator Operator) {
	id := m.add(s, operator, m.text(s), "")
	m.wrap(s, fmt.Sprintf("if !%s.On(%d) { ", alias, id), " }")
}

// locks reports whether a call takes or releases a lock. Without it a process would only hang.
func locks(c *ast.CallExpr) bool {
	switch called(c) {
	case "Lock", "Unlock", "RLock", "RUnlock":
		return true
	}
	return false
}
