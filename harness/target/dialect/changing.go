package dialect

import (
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// changing rewrites statements that change rows, and those that begin with WITH.
func (r *rewriter) changing() error {
	verb := 0
	if r.word(0) == "WITH" {
		if verb = r.find(1, "SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"); verb < 0 {
			return nil
		}
	}
	if r.word(verb) == "SELECT" || r.word(verb) == "VALUES" {
		return nil
	}
	if i := r.find(verb, "RETURNING"); i >= 0 && !slices.Contains(r.family.Returning, r.word(verb)) {
		return r.unsupported("RETURNING after %s", r.word(verb))
	}
	if r.word(verb) != "INSERT" && r.word(verb) != "REPLACE" {
		if verb > 0 && !r.family.WithFirst {
			return r.unsupported("WITH before %s", r.word(verb))
		}
		return nil
	}
	if err := r.insert(verb); err != nil {
		return err
	}
	if verb > 0 && !r.family.WithFirst {
		return r.moveWith(verb)
	}
	return nil
}

// moveWith moves the clause before INSERT to the SELECT behind it.
func (r *rewriter) moveWith(verb int) error {
	query := r.find(verb, "SELECT", "VALUES")
	if query < 0 {
		return r.unsupported("WITH before INSERT")
	}
	for i := verb; i < query; i++ {
		if r.tokens[i].Kind == sqltext.ParameterToken {
			return r.unsupported("WITH before INSERT with parameters")
		}
	}
	if err := r.expressions(); err != nil { // the clause is text from here on
		return err
	}
	var clause strings.Builder
	for i := range verb {
		clause.WriteString(r.text[i] + " ")
	}
	r.drop(0, verb)
	r.text[query] = clause.String() + r.text[query]
	return nil
}

// insert rewrites INSERT and REPLACE.
func (r *rewriter) insert(verb int) error {
	or := ""
	into := verb + 1
	if r.word(verb) == "REPLACE" {
		or = "REPLACE"
	} else if r.word(verb+1) == "OR" {
		or, into = r.word(verb+2), verb+3
	}
	switch or {
	case "", "ABORT":
		r.drop(verb+1, into)
	case "IGNORE":
		r.drop(verb+1, into)
		r.ignore(verb)
	case "REPLACE":
		if r.family.OnConflict {
			return r.unsupported("REPLACE")
		}
		r.drop(verb+1, into)
		r.text[verb] = "REPLACE"
	default:
		return r.unsupported("INSERT OR %s", or)
	}
	if i := r.find(into, "DEFAULT"); i >= 0 && r.word(i+1) == "VALUES" && !r.family.OnConflict {
		r.replace(i, i+2, "() VALUES ()")
	}
	return r.upsert(verb, into)
}

// ignore has the statement do nothing for rows that conflict.
func (r *rewriter) ignore(verb int) {
	if !r.family.OnConflict {
		r.text[verb] = "INSERT IGNORE"
		return
	}
	const nothing = " ON CONFLICT DO NOTHING "
	if i := r.find(verb, "RETURNING"); i >= 0 {
		r.text[i] = nothing + r.text[i]
		return
	}
	r.text[len(r.text)-1] += nothing
}

// upsert rewrites ON CONFLICT.
func (r *rewriter) upsert(verb, from int) error {
	i := r.find(from, "ON")
	for ; i >= 0 && r.word(i+1) != "CONFLICT"; i = r.find(i+1, "ON") {
	}
	if i < 0 || r.family.OnConflict {
		return nil
	}
	do := r.find(i, "DO")
	switch {
	case r.are(do, "DO", "NOTHING"):
		r.drop(i, do+2)
		r.ignore(verb)
		return nil
	case !r.are(do, "DO", "UPDATE", "SET"):
		return r.unsupported("ON CONFLICT without DO")
	}
	end := len(r.tokens)
	if returning := r.find(do, "RETURNING"); returning >= 0 {
		end = returning
	}
	if where := r.find(do, "WHERE"); where >= 0 && where < end {
		return r.unsupported("ON CONFLICT with a condition")
	}
	r.replace(i, do+3, "ON DUPLICATE KEY UPDATE")
	for at := do + 3; at < end; at++ {
		if strings.EqualFold(r.tokens[at].Value, "excluded") && r.word(at+1) == "." {
			_, column, next := r.name(at)
			r.replace(at, next, "VALUES("+column.spelled+")")
		}
	}
	return nil
}
