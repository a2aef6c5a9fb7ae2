package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// ErrAnswer is wrapped by the error of a change whose answer is over its limit.
var ErrAnswer = errors.New("the answer is larger")

// Result is what one statement came to.
type Result struct {
	Columns []sqlite.Column
	Rows    [][]any
	// Affected is the number of rows inserted, updated or deleted.
	Affected int64
}

// execute runs an entry's statements. Rows are gathered on every node alike,
// so that the limit on them is met, or not, by all.
func (m *Machine) execute(entry Entry) ([]Result, error) {
	statements, err := sqltext.Split(entry.SQL)
	if err != nil {
		return nil, err
	}
	if err := Admit(statements, entry.Params); err != nil {
		return nil, err
	}
	params := entry.Params
	room := m.options.AnswerLimit
	results := make([]Result, 0, len(statements))
	for i, statement := range statements {
		var result Result
		var taken int
		switch statement.Kind {
		case sqltext.CreateNamespace:
			err = createNamespace(m.writer, statement)
		case sqltext.DropNamespace:
			err = dropNamespace(m.writer, statement)
		default:
			result, taken, err = m.statement(statement, params, &room)
		}
		if err != nil {
			return nil, Locate(err, i, len(statements))
		}
		params = params[taken:]
		results = append(results, result)
	}
	return results, nil
}

// Admit returns an error for a request that changes data if its text alone tells that it
// must fail: every node would say so, but only after the request has been in the log.
func Admit(statements []sqltext.Statement, params []any) error {
	if err := CountParams(statements, params); err != nil {
		return err
	}
	for i, statement := range statements {
		if statement.Explains() {
			// Its rows hold numbers of one connection, and answers are kept in the database.
			const reason = "EXPLAIN is refused in a request that changes data: its rows differ between nodes; send it alone"
			return Locate(sqlite.Refuse(reason), i, len(statements))
		}
	}
	return nil
}

// CountParams returns an error unless the statements ask for exactly the parameters
// given, together.
func CountParams(statements []sqltext.Statement, params []any) error {
	if want := sqltext.Parameters(statements); want != len(params) {
		return &sqlite.ParamCountError{Want: want, Got: len(params)}
	}
	return nil
}

// Locate says which statement of several an error is of, counted from 0. An error of the
// node's surroundings is of none.
func Locate(err error, i, of int) error {
	if of == 1 || sqlite.Environmental(err) {
		return err
	}
	return fmt.Errorf("statement %d of %d: %w", i+1, of, err)
}

func (m *Machine) statement(statement sqltext.Statement, params []any, room *int64) (result Result, taken int, err error) {
	qualified, err := qualify(m.writer, statement)
	if err != nil {
		return Result{}, 0, err
	}
	rows, taken, err := m.writer.Query(context.Background(), qualified.SQL, params)
	if err != nil {
		return Result{}, 0, err
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	result.Columns = rows.Columns()
	if *room -= width(result.Columns); *room < 0 {
		return Result{}, 0, m.tooLong()
	}
	for {
		row, err := rows.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Result{}, 0, err
		}
		if *room -= size(row); *room < 0 {
			return Result{}, 0, m.tooLong()
		}
		result.Rows = append(result.Rows, slices.Clone(row))
	}
	switch {
	case statement.ChangesRows():
		result.Affected = m.writer.Changes()
	case statement.ChangesSchema():
		if err := follow(m.writer, qualified.Defines); err != nil {
			return Result{}, 0, err
		}
	}
	return result, taken, nil
}

func (m *Machine) tooLong() error {
	return fmt.Errorf("%w than %d bytes, the limit for requests that change data", ErrAnswer, m.options.AnswerLimit)
}

// width is about how many bytes the head of a result takes, in an answer and in memory.
func width(columns []sqlite.Column) int64 {
	n := int64(64)
	for _, c := range columns {
		n += int64(len(c.Name)+len(c.Type)) + 32
	}
	return n
}

// size is about how many bytes a row takes in an answer.
func size(row []any) int64 {
	n := int64(2)
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += int64(len(v)) + 3
		case []byte:
			n += int64(len(v)) + 3
		default:
			n += 10
		}
	}
	return n
}
