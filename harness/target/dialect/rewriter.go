package dialect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// rewriter rewrites one statement, token by token: text[i] stands for token i.
type rewriter struct {
	family *Family
	part   part
	tokens []sqltext.Token
	text   []string
	params []any
	after  []string // further statements

	expressed bool // expressions was called
}

func newRewriter(f *Family, p part) (*rewriter, error) {
	tokens, err := sqltext.Tokens(p.Text)
	if err != nil {
		return nil, err // not possible: the text was split before
	}
	r := &rewriter{family: f, part: p, tokens: tokens, text: make([]string, len(tokens)), params: p.params}
	for i, t := range tokens {
		r.text[i] = t.Text
	}
	return r, nil
}

// String is the statement as it was rewritten.
func (r *rewriter) String() string {
	var out strings.Builder
	end := 0
	for i, t := range r.tokens {
		if r.text[i] != "" {
			out.WriteString(r.part.Text[end:t.From])
			out.WriteString(r.text[i])
		}
		end = t.To
	}
	return strings.TrimSpace(out.String())
}

// word is a keyword in upper case, or the text of another token; empty past the end.
func (r *rewriter) word(i int) string {
	if i < 0 || i >= len(r.tokens) {
		return ""
	}
	if t := r.tokens[i]; t.Kind != sqltext.WordToken {
		return t.Text
	}
	return strings.ToUpper(r.tokens[i].Text)
}

// are tells whether these words stand at token i.
func (r *rewriter) are(i int, words ...string) bool {
	for n, w := range words {
		if r.word(i+n) != w {
			return false
		}
	}
	return true
}

// skip returns the token after these words if they stand at token i, and i else.
func (r *rewriter) skip(i int, words ...string) int {
	if r.are(i, words...) {
		return i + len(words)
	}
	return i
}

// find returns the first of the words at token i or later, outside of parentheses that open after i; -1 if there is none.
func (r *rewriter) find(i int, words ...string) int {
	for depth := 0; i < len(r.tokens); i++ {
		switch w := r.word(i); {
		case depth == 0 && slices.Contains(words, w):
			return i
		case w == "(":
			depth++
		case w == ")":
			depth--
		}
	}
	return -1
}

// closing returns the parenthesis that closes the one at token i.
func (r *rewriter) closing(i int) int {
	depth := 0
	for ; i < len(r.tokens); i++ {
		switch r.word(i) {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(r.tokens) - 1
}

// drop removes tokens.
func (r *rewriter) drop(from, to int) {
	for i := from; i < to; i++ {
		r.text[i] = ""
	}
}

// replace puts a text in place of tokens.
func (r *rewriter) replace(from, to int, text string) {
	r.drop(from, to)
	r.text[from] = text
}

// name is a name in a statement: as the statement spells it, and its value, folded to lower case unless it is quoted. The
// zero name is none.
type name struct{ spelled, value string }

func (r *rewriter) nameAt(i int) name {
	t := r.tokens[i]
	if t.Kind == sqltext.WordToken {
		return name{t.Text, strings.ToLower(t.Text)}
	}
	return name{quoted(t.Value), t.Value}
}

// name reads a name at token i: with its namespace, if one is written. next is the token after it.
func (r *rewriter) name(i int) (namespace, object name, next int) {
	switch {
	case i >= len(r.tokens):
		return name{}, name{}, i
	case r.word(i+1) == "." && i+2 < len(r.tokens):
		return r.nameAt(i), r.nameAt(i + 2), i + 3
	}
	return name{}, r.nameAt(i), i + 1
}

// in is an object in a namespace, or the object alone.
func (namespace name) in(object string) string {
	if namespace.spelled == "" {
		return object
	}
	return namespace.spelled + "." + object
}

func (r *rewriter) unsupported(reason string, args ...any) error {
	return unsupported(r.family.Name, r.part.Text, reason, args...)
}

// rewrite rewrites the statement by its verb, and then what may stand in any.
func (r *rewriter) rewrite(ctx context.Context, lookup Lookup) error {
	var err error
	switch verb := r.word(0); verb {
	case "CREATE":
		err = r.create()
	case "ALTER":
		err = r.alter()
	case "DROP":
		err = r.dropping(ctx, lookup)
	case "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE":
		err = r.changing()
	case "SELECT", "VALUES":
	default:
		return r.unsupported("%s", verb)
	}
	if err != nil {
		return err
	}
	return r.expressions()
}

// dropping rewrites DROP.
func (r *rewriter) dropping(ctx context.Context, lookup Lookup) error {
	if r.word(1) == "TRIGGER" {
		return r.unsupported("a trigger")
	}
	if r.word(1) != "INDEX" || r.family.IndexTable == "" {
		return nil
	}
	at := r.skip(2, "IF", "EXISTS")
	namespace, index, next := r.name(at)
	rows, err := lookup(ctx, fmt.Sprintf(r.family.IndexTable, text(namespace.value), text(index.value)))
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return &target.Error{
			Code: "INDEX", Kind: target.ErrNoSuchTable, Outcome: target.NotApplied,
			Message: fmt.Sprintf("there is no index %s in %s", index.value, namespace.value),
		}
	}
	r.replace(at, next, index.spelled+" ON "+namespace.in(quoted(fmt.Sprint(rows[0][0]))))
	return nil
}

// text is a string literal.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
