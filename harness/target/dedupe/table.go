package dedupe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Table is the table of requests. Its methods are safe for concurrent use.
type Table struct {
	// Name is the name of the table, in the words of the database.
	Name string
	// Key is the type of an ID, which must compare all bytes, and Blob that of an answer.
	Key, Blob string
	// Dollar tells that parameters are $1, $2, …; they are ? else.
	Dollar bool
	// Changed is an expression for the number of rows that the last statement changed. A Batch needs it.
	Changed string
}

// SQLite is the table in a database that speaks SQLite's SQL.
func SQLite() Table {
	return Table{Name: "rejoin_requests", Key: "TEXT", Blob: "BLOB", Changed: "changes()"}
}

// PostgreSQL is the table in the schema public of PostgreSQL.
func PostgreSQL() Table {
	return Table{Name: "public.rejoin_requests", Key: `TEXT COLLATE "C"`, Blob: "BYTEA", Dollar: true}
}

// MySQL is the table in the current database of MySQL or MariaDB.
func MySQL() Table {
	return Table{Name: "rejoin_requests", Key: "VARBINARY(255)", Blob: "LONGBLOB"}
}

var (
	_ sqldb.Once  = Table{}
	_ sqldb.Guard = Table{}
)

// Setup returns the statement that makes the table. It may be executed again.
func (t Table) Setup() string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id %s NOT NULL PRIMARY KEY, digest %s NOT NULL, answer %s)", t.Name, t.Key, t.Key,
		t.Blob)
}

// Remembered returns the IDs of all requests that a node has applied, from its own state.
func (t Table) Remembered(ctx context.Context, inside target.SQL) (map[string]bool, error) {
	rows, err := sqldb.All(inside.Query(ctx, target.Request{SQL: "SELECT id FROM " + t.Name, Consistency: target.Local}))
	if err != nil {
		return nil, err
	}
	ids := make(map[string]bool, len(rows))
	for _, row := range rows {
		id, err := text(row[0])
		if err != nil {
			return nil, err
		}
		ids[id] = true
	}
	return ids, nil
}

// Recall returns the answer of a request that was applied before, or claims its ID.
func (t Table) Recall(ctx context.Context, tx sqldb.Tx, request target.Request) (*sqldb.Answer, error) {
	rows, err := tx.Query(ctx, t.find(), request.ID)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (id, digest) VALUES (%s, %s)", t.Name, t.param(1), t.param(2)),
			request.ID, digest(request))
	}
	if err := same(request, rows[0][0]); err != nil {
		return nil, err
	}
	kept, is := rows[0][1].([]byte)
	if !is {
		return nil, gone(request)
	}
	return decode(kept)
}

// Keep writes the answer of the request.
func (t Table) Keep(ctx context.Context, tx sqldb.Tx, request target.Request, answer *sqldb.Answer) error {
	if answer == nil {
		return nil
	}
	kept, err := encode(answer)
	if err != nil {
		return err
	}
	return tx.Exec(ctx, fmt.Sprintf("UPDATE %s SET answer = %s WHERE id = %s", t.Name, t.param(1), t.param(2)), kept, request.ID)
}

// Forget removes the request.
func (t Table) Forget(ctx context.Context, tx sqldb.Tx, request target.Request) error {
	return tx.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE id = %s", t.Name, t.param(1)), request.ID)
}

func (t Table) find() string {
	return fmt.Sprintf("SELECT digest, answer FROM %s WHERE id = %s", t.Name, t.param(1))
}

func (t Table) param(n int) string {
	if t.Dollar {
		return "$" + strconv.Itoa(n)
	}
	return "?"
}

// same returns an error if the ID belongs to another request.
func same(request target.Request, kept any) error {
	was, err := text(kept)
	if err != nil || was == digest(request) {
		return err
	}
	return &target.Error{
		Code: "KEY_REUSED", Kind: target.ErrKeyReused, Outcome: target.NotApplied,
		Message: fmt.Sprintf("the ID %q names another request, which was applied", request.ID),
	}
}

func gone(request target.Request) error {
	return &target.Error{
		Code: "ANSWER_GONE", Kind: target.ErrAnswerGone, Outcome: target.Applied,
		Message: fmt.Sprintf("the request %q was applied before, and its answer was not kept", request.ID),
	}
}

// text is a value that is text, or its bytes.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("the table of requests has %T %v, not text", v, v)
}

// digest is what tells requests apart: the hash of the statements and the parameters with their types.
func digest(request target.Request) string {
	h := sha256.New()
	add := func(kind byte, content string) {
		h.Write([]byte{kind})
		h.Write(binary.AppendUvarint(nil, uint64(len(content))))
		h.Write([]byte(content))
	}
	add('q', request.SQL)
	for _, p := range request.Params {
		switch p := p.(type) {
		case nil:
			add('n', "")
		case int64:
			add('i', strconv.FormatInt(p, 10))
		case float64:
			add('f', strconv.FormatUint(math.Float64bits(p), 16))
		case string:
			add('s', p)
		case []byte:
			add('b', string(p))
		}
	}
	return strings.ToLower(hex.EncodeToString(h.Sum(nil)))
}
