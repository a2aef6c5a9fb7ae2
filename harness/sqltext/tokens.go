package sqltext

// TokenKind is the kind of a token, for callers that rewrite statements themselves.
type TokenKind int

// The kinds of tokens. White space and comments are no tokens.
const (
	OtherToken     TokenKind = iota // an operator, a comma, a parenthesis, …
	WordToken                       // a keyword, or a name without quotes
	NameToken                       // a quoted name: ".." or `..` or [..]
	TextToken                       // '..'
	LiteralToken                    // a number or a blob
	ParameterToken                  // ?, ?1, :a, @a or $a
)

// Token is one token of a text: the bytes from From to before To.
type Token struct {
	Kind     TokenKind
	From, To int
	Text     string // as written
	Value    string // of a name or text: without its quotes; of a word: as written
}

var tokenKinds = map[kind]TokenKind{
	word: WordToken, quotedName: NameToken, quotedText: TextToken, literal: LiteralToken, parameter: ParameterToken,
}

// Tokens returns the tokens of a text, or a *SyntaxError if SQLite cannot tokenize it.
func Tokens(sql string) ([]Token, error) {
	found, err := lex(sql)
	if err != nil {
		return nil, err
	}
	tokens := make([]Token, len(found))
	for i, t := range found {
		text := sql[t.at:t.end]
		tokens[i] = Token{Kind: tokenKinds[t.kind], From: t.at, To: t.end, Text: text}
		if k := tokens[i].Kind; k == WordToken || k == NameToken || k == TextToken {
			tokens[i].Value = unquote(text)
		}
	}
	return tokens, nil
}
