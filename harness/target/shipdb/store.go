package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// store is a node's files: ship.db holds the term, the vote and the log, data.db the clients' tables and the position of
// the last entry that was executed on them. Every transaction is on disk when it returns.
type store struct {
	log, data, reads *sql.DB

	lazily  bool // bug: the position is saved apart from the rows
	savedAt time.Time
}

// always is the context of what a node must finish.
var always = context.Background()

type entry struct {
	Index      uint64          `json:"index"`
	Term       uint64          `json:"term"`
	Statements json.RawMessage `json:"statements"` // none for the first entry of a term
}

type statement struct {
	SQL  string  `json:"sql"`
	Args []value `json:"args"`
}

type result struct {
	Columns  []string  `json:"columns"`
	Types    []string  `json:"types"`
	Rows     [][]value `json:"rows"`
	Affected int64     `json:"affected"`
}

func openStore(dir, bug string) (s *store, err error) {
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	open := func(file, extra string) (*sql.DB, error) {
		path := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.Join(dir, file)}).EscapedPath()}).String()
		return sql.Open("sqlite3", path+"?_synchronous=FULL&_busy_timeout=10000"+extra)
	}
	s = &store{lazily: bug == again}
	for _, each := range []struct {
		db                  **sql.DB
		file, extra, schema string
	}{
		{&s.log, "ship.db", "&_txlock=immediate", `PRAGMA page_size = 65536; PRAGMA journal_mode = WAL;
			CREATE TABLE IF NOT EXISTS vote (term INTEGER, name TEXT);
			INSERT INTO vote SELECT 0, '' WHERE NOT EXISTS (SELECT * FROM vote);
			CREATE TABLE IF NOT EXISTS log (idx INTEGER PRIMARY KEY, term INTEGER, statements TEXT)`},
		{&s.data, "data.db", "&_txlock=immediate", `PRAGMA journal_mode = WAL;
			CREATE TABLE IF NOT EXISTS ship_applied (idx INTEGER);
			INSERT INTO ship_applied SELECT 0 WHERE NOT EXISTS (SELECT * FROM ship_applied)`},
		{&s.reads, "data.db", "&_query_only=1", ""},
	} {
		if *each.db, err = open(each.file, each.extra); err == nil {
			_, err = (*each.db).ExecContext(always, each.schema)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", each.file, err), s.close())
		}
	}
	s.log.SetMaxOpenConns(1)
	s.data.SetMaxOpenConns(1)
	return s, nil
}

func (s *store) close() (err error) {
	for _, db := range []*sql.DB{s.log, s.data, s.reads} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// vote returns the term and the vote in it.
func (s *store) vote() (term uint64, name string, err error) {
	err = s.log.QueryRowContext(always, "SELECT term, name FROM vote").Scan(&term, &name)
	return term, name, err
}

func (s *store) setVote(term uint64, name string) error {
	_, err := s.log.ExecContext(always, "UPDATE vote SET term = ?, name = ?", term, name)
	return err
}

// last returns the index and term of the last entry; 0 and 0 if there is none.
func (s *store) last() (index, term uint64, err error) {
	err = s.log.QueryRowContext(always, "SELECT coalesce(max(idx), 0), coalesce(max(term), 0) FROM log").Scan(&index, &term)
	return index, term, err
}

// termAt returns the term of an entry; 0 if there is none.
func (s *store) termAt(index uint64) (term uint64, err error) {
	err = s.log.QueryRowContext(always, "SELECT term FROM log WHERE idx = ?", index).Scan(&term)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return term, err
}

// append adds entries. Where the log has an entry of another term, that entry and all after it are deleted.
func (s *store) append(entries []entry) error {
	tx, err := s.log.BeginTx(always, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	for _, e := range entries {
		_, err := tx.ExecContext(always, "DELETE FROM log WHERE idx >= ? AND EXISTS (SELECT * FROM log WHERE idx = ? AND term <> ?)",
			e.Index, e.Index, e.Term)
		if err == nil {
			_, err = tx.ExecContext(always, "INSERT OR IGNORE INTO log VALUES (?, ?, ?)", e.Index, e.Term, string(e.Statements))
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// entries returns up to 64 entries from an index on, up to an index, and about a megabyte.
func (s *store) entries(from, to uint64) (found []entry, err error) {
	rows, err := s.log.QueryContext(always,
		"SELECT idx, term, statements FROM log WHERE idx BETWEEN ? AND ? ORDER BY idx LIMIT 64", from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for size := 0; size < 1<<20 && rows.Next(); {
		var e entry
		var text string
		if err := rows.Scan(&e.Index, &e.Term, &text); err != nil {
			return nil, err
		}
		e.Statements = json.RawMessage(text)
		size += len(text)
		found = append(found, e)
	}
	return found, rows.Err()
}

// applied returns the position of the last entry that was executed.
func (s *store) applied() (index uint64, err error) {
	err = s.data.QueryRowContext(always, "SELECT idx FROM ship_applied").Scan(&index)
	return index, err
}

// apply executes an entry, and saves its position in the same transaction. wrong is an error of a statement, which every
// node has; err is one of this node alone.
func (s *store) apply(e entry) (results []result, wrong, err error) {
	ctx := always
	var statements []statement
	if err := json.Unmarshal(e.Statements, &statements); err != nil {
		return nil, nil, fmt.Errorf("entry %d is damaged: %w", e.Index, err)
	}
	conn, err := s.data.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	run := func(statements []statement) ([]result, error) {
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return nil, err
		}
		results, err := execute(ctx, conn, statements)
		if err == nil && !s.lazily {
			_, err = conn.ExecContext(ctx, "UPDATE ship_applied SET idx = ?", e.Index)
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, "COMMIT")
		}
		if err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK") // fails if the error has ended the transaction
		}
		return results, err
	}
	results, wrong = run(statements)
	if wrong != nil && !ownFault(wrong) {
		_, err = run(nil)
	} else if wrong != nil {
		err = wrong
	}
	if s.lazily && err == nil && time.Since(s.savedAt) > 100*time.Millisecond { // to save syncs
		s.savedAt = time.Now()
		_, err = conn.ExecContext(ctx, "UPDATE ship_applied SET idx = ?", e.Index)
	}
	return results, wrong, err
}

// read executes statements that only read, on one state of the node.
func (s *store) read(ctx context.Context, statements []statement) (results []result, err error) {
	conn, err := s.reads.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err = conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") //nolint:errcheck // nothing to undo
	return execute(ctx, conn, statements)
}

func execute(ctx context.Context, conn *sql.Conn, statements []statement) ([]result, error) {
	results := make([]result, 0, len(statements))
	for _, s := range statements {
		r, err := one(ctx, conn, s)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func one(ctx context.Context, conn *sql.Conn, s statement) (r result, err error) {
	r = result{Columns: []string{}, Types: []string{}, Rows: [][]value{}}
	args := make([]any, len(s.Args))
	for i, a := range s.Args {
		args[i] = a.v
	}
	var before, after int64
	if err = conn.QueryRowContext(ctx, "SELECT total_changes()").Scan(&before); err != nil {
		return r, err
	}
	rows, err := conn.QueryContext(ctx, s.SQL, args...)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return r, err
	}
	for _, t := range types {
		r.Columns, r.Types = append(r.Columns, t.Name()), append(r.Types, t.DatabaseTypeName())
	}
	for rows.Next() {
		row, into := make([]value, len(types)), make([]any, len(types))
		for i := range row {
			into[i] = &row[i].v
		}
		if err := rows.Scan(into...); err != nil {
			return r, err
		}
		r.Rows = append(r.Rows, row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return r, err
	}
	if err := conn.QueryRowContext(ctx, "SELECT total_changes()").Scan(&after); err != nil || after == before {
		return r, err
	}
	err = conn.QueryRowContext(ctx, "SELECT changes()").Scan(&r.Affected)
	return r, err
}

var comments = regexp.MustCompile(`^(\s+|--[^\n]*(\n|$)|/\*(?s:.*?)(\*/|$))+`)

// refused returns why a client may not send a statement; "" if it may.
func refused(text string) string {
	if statements, err := sqltext.Split(text); err != nil || len(statements) != 1 {
		return fmt.Sprintf("%q is not exactly one statement", text)
	}
	word := strings.ToUpper(firstWord.FindString(comments.ReplaceAllString(text, "")))
	switch word {
	case "BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH", "PRAGMA", "VACUUM":
		return word + " is not allowed"
	}
	return ""
}

var firstWord = regexp.MustCompile(`^\w+`)
