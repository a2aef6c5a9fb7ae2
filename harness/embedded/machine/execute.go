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

// ErrAnswer is wrapped by the error of a change whose answer exceeds AnswerLimit.
var ErrAnswer = errors.New("the answer is larger")

// Result is the result of one statement.
type Result struct {
	Columns []sqlite.Column
	Rows    [][]any
	// Affected is the number of rows inserted, updated or deleted.
	Affected int64
}

// execute runs an entry's statements. Every node collects the rows, so that all nodes decide
// alike whether the answer exceeds its limit.
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

// Admit returns an error for a request that changes data if its text alone shows that it must
// fail. Every node would return the same error, but only after the request is in the log.
func Admit(statements []sqltext.Statement, params []any) error {
	if err := CountParams(statements, params); err != nil {
		return err
	}
	for i, statement := range statements {
		if statement.Explains() {
			// Its rows contain values of one connection, and answers are stored in the database.
			const reason = "EXPLAIN is refused in a request that changes data: its rows differ between nodes; send it alone"
			return Locate(sqlite.Refuse(reason), i, len(statements))
		}
	}
	return nil
}

// CountParams returns an *sqlite.ParamCountError unless the statements together have exactly as
// many parameters as params.
func CountParams(statements []sqltext.Statement, params []any) error {
	if want := sqltext.Parameters(statements); want != len(params) {
		return &sqlite.ParamCountError{Want: want, Got: len(params)}
	}
	return nil
}

// Locate adds to err the number of its statement: i counts from 0, of is the number of
// statements. It returns err unchanged if there is one statement only, and for errors of the
// node's environment.
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
	if *room -= columnsSize(result.Columns); *room < 0 {
		return Result{}, 0, m.answerTooLarge()
	}
	for {
		row, err := rows.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Result{}, 0, err
		}
		if *room -= rowSize(row); *room < 0 {
			return Result{}, 0, m.answerTooLarge()
		}
		result.Rows = append(result.Rows, slices.Clone(row))
	}
	switch {
	case statement.ChangesRows():
		result.Affected = m.writer.Changes()
	case statement.ChangesSchema():
		if err := updateMembers(m.writer, qualified.Defines); err != nil {
			return Result{}, 0, err
		}
	}
	return result, taken, nil
}

func (m *Machine) answerTooLarge() error {
	return fmt.Errorf("%w than %d bytes, the limit for requests that change data", ErrAnswer, m.options.AnswerLimit)
}

// columnsSize estimates the size of a result's columns in an answer and in memory, in bytes.
func columnsSize(columns []sqlite.Column) int64 {
	n := int64(64)
	for _, c := range columns {
		n += int64(len(c.Name)+len(c.Type)) + 32
	}
	return n
}

// rowSize estimates the size of a row in an answer, in bytes.
func rowSize(row []any) int64 {
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
