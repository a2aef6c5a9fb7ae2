package dialect

import (
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// returns tells whether a statement that changes rows has a RETURNING clause.
func returns(sql string) bool {
	tokens, err := sqltext.Tokens(sql)
	if err != nil {
		return false
	}
	depth := 0
	for _, t := range tokens {
		switch {
		case t.Text == "(":
			depth++
		case t.Text == ")":
			depth--
		case depth == 0 && t.Kind == sqltext.WordToken && strings.EqualFold(t.Text, "RETURNING"):
			return true
		}
	}
	return false
}
