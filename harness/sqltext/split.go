package sqltext

import (
	"fmt"
	"strings"
)

// MaxStatements bounds the statements of one text: each takes a hundred bytes or more, however short it is.
const MaxStatements = 1 << 16

// Split cuts a text at the semicolons that end statements for SQLite, and leaves out statements
// with nothing in them. It returns a *SyntaxError where SQLite would see no token at all, and where
// CREATE NAMESPACE or DROP NAMESPACE is not written as it should be.
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

// cut returns the statement that starts at byte i, and where the next one does.
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

// extent follows a statement from token to token, only so closely that it knows whether a semicolon
// ends it. That is so but in the body of a trigger, which ends in an END at the place of a statement.
type extent struct {
	stage  stage
	dotted bool // the token before was a dot: a name follows
	fresh  bool // in a body: the next token is the first of a statement
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

// step is one word at the start of a statement.
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
		// Where this BEGIN is a name, no semicolon comes before the one that is not.
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
