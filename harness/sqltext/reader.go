package sqltext

// reader iterates over the tokens of a statement.
type reader struct {
	sql    string
	tokens []token
	next   int
}

// peek returns the token n positions ahead, or behind if n is negative.
func (r *reader) peek(n int) token {
	if i := r.next + n; 0 <= i && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token{at: len(r.sql), end: len(r.sql)}
}

func (r *reader) spelled(t token) string { return r.sql[t.at:t.end] }

// accept consumes the given keywords if they are next, all or none.
func (r *reader) accept(upper ...string) bool {
	for i, u := range upper {
		if r.peek(i).upper() != u {
			return false
		}
	}
	r.next += len(upper)
	return true
}
