package sqltext

import (
	"fmt"
	"strings"
)

// MaxStatements is the maximum number of statements in one text. Each needs at least a hundred
// bytes of memory, however short it is.
const MaxStatements = 1 << 16

// Split splits a text into statements at the same semicolons as SQLite, and omits empty
// statements. It returns a *SyntaxError for text that SQLite cannot tokenize, and for an invalid
// CREATE NAMESPACE or DROP NAMESPACE. More than MaxStatements is an error.
func Split(sql string) ([]Statement, error) {
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return nil, brokenToken(sql, i, i)
	}
	var statements []Statement
	for i := 0; i < len(sql); {
		s, next, err := cut(sql, i)
		if err != nil {
			return nil, err
		}
		if s.Text != "" {
			if len(statements) == MaxStatements {
				return nil, fmt.Errorf("the text has more than %d statements", MaxStatements)
			}
			statements = append(statements, s)
		}
		i = next
	}
	return statements, nil
}

// cut returns the statement that starts at byte i, and the start of the next one.
func cut(sql string, i int) (Statement, int, error) {
	extent := extent{stage: atStart}
	start, end, plain := i, i, true
	for i < len(sql) {
		k, next := scan(sql, i)
		if k == space {
			i = next
			continue
		}
		if k == broken {
			return Statement{}, 0, brokenToken(sql, i, next)
		}
		if k == semicolon && extent.stage != inBody {
			i = next
			break
		}
		if start == end {
			start = i
		}
		plain = plain && k != dot && (k != parameter || !isNumbered(sql[i:next]))
		extent.read(k, sql[i:next])
		i, end = next, next
	}
	s := Statement{Text: sql[start:end], plain: plain}
	if extent.stage == aboutNamespace {
		err := s.readNamespace(sql, start)
		return s, i, err
	}
	return s, i, nil
}

// extent tracks the tokens of a statement just far enough to know whether a semicolon ends it. It
// does, except in the body of a trigger, which ends with an END at the beginning of a statement.
type extent struct {
	stage  stage
	dotted bool // the previous token was a dot: a name follows
	fresh  bool // in a body: the next token begins a statement
}

type stage byte

const (
	ordinary stage = iota
	atStart
	afterExplain
	afterCreate
	afterTemp
	afterDrop
	aboutNamespace
	aboutTrigger
	inBody // of a trigger
)

// step is a transition on one word at the start of a statement.
type step struct {
	from  stage
	upper string
}

var steps = map[step]stage{
	{atStart, "EXPLAIN"}:       afterExplain,
	{afterExplain, "QUERY"}:    afterExplain,
	{afterExplain, "PLAN"}:     afterExplain,
	{afterExplain, "CREATE"}:   afterTemp,
	{atStart, "CREATE"}:        afterCreate,
	{afterCreate, "TEMP"}:      afterTemp,
	{afterCreate, "TEMPORARY"}: afterTemp,
	{afterTemp, "TEMP"}:        afterTemp,
	{afterTemp, "TEMPORARY"}:   afterTemp,
	{afterCreate, "TRIGGER"}:   aboutTrigger,
	{afterTemp, "TRIGGER"}:     aboutTrigger,
	{afterCreate, "NAMESPACE"}: aboutNamespace,
	{atStart, "DROP"}:          afterDrop,
	{afterDrop, "NAMESPACE"}:   aboutNamespace,
}

func (e *extent) read(k kind, spelled string) {
	if e.stage == ordinary || e.stage == aboutNamespace {
		return
	}
	upper := ""
	if k == word {
		upper = keywordOf(spelled).upper()
	}
	switch e.stage {
	case aboutTrigger:
		// If this BEGIN is a name, the real one follows before any semicolon.
		if upper == "BEGIN" && !e.dotted {
			e.stage, e.fresh = inBody, true
		}
		e.dotted = k == dot
	case inBody:
		if upper == "END" && e.fresh {
			e.stage = ordinary
		}
		e.fresh = k == semicolon
	default:
		e.stage = steps[step{e.stage, upper}]
	}
}
