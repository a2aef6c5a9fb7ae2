package machine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Digest returns a hash of the whole database (schema, namespaces, every value with its type, and
// every rowid) and the index of the last entry applied to it. Nodes at the same index have the
// same hash. Digest reads the whole database and uses one read connection: it blocks like View
// and ends with ctx.
func (m *Machine) Digest(ctx context.Context) (index uint64, sum string, err error) {
	view, err := m.View(ctx)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	if index, _, err = progress(view.conn); err != nil {
		return 0, "", err
	}
	digest := sha256.New()
	const schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid"
	if err := hashQuery(ctx, digest, view.conn, schema); err != nil {
		return 0, "", err
	}
	tables, err := column(view.conn, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'rejoin_applied' ORDER BY name")
	if err != nil {
		return 0, "", err
	}
	for _, table := range tables {
		if err := hashTable(ctx, digest, view.conn, table); err != nil {
			return 0, "", fmt.Errorf("digest of table %s: %w", table, err)
		}
	}
	return index, hex.EncodeToString(digest.Sum(nil)), nil
}

// hashTable hashes a table in b-tree order. The rowid has three names, and columns may shadow
// them. A table may also have no rowids.
func hashTable(ctx context.Context, digest hash.Hash, conn *sqlite.Conn, table string) error {
	rows, _, err := conn.Query(ctx, "SELECT rowid, oid, _rowid_, * FROM "+quote(table)+" NOT INDEXED", nil)
	if err != nil {
		return hashQuery(ctx, digest, conn, "SELECT * FROM "+quote(table)+" NOT INDEXED")
	}
	return hashRows(digest, rows)
}

func hashQuery(ctx context.Context, digest hash.Hash, conn *sqlite.Conn, sql string) error {
	rows, _, err := conn.Query(ctx, sql, nil)
	if err != nil {
		return err
	}
	return hashRows(digest, rows)
}

// hashRows hashes rows and an end marker with which no value begins. It closes rows.
func hashRows(digest hash.Hash, rows *sqlite.Rows) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	var buf []byte
	for {
		row, err := rows.Next()
		if err == io.EOF {
			digest.Write([]byte{'.'})
			return nil
		}
		if err != nil {
			return err
		}
		buf = buf[:0]
		for _, v := range row {
			buf = appendTagged(buf, v)
		}
		digest.Write(buf)
	}
}

// appendTagged appends an injective encoding of a value.
func appendTagged(buf []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(buf, 'i'), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(buf, 'f'), math.Float64bits(v))
	case string:
		return append(binary.AppendUvarint(append(buf, 't'), uint64(len(v))), v...)
	case []byte:
		return append(binary.AppendUvarint(append(buf, 'b'), uint64(len(v))), v...)
	}
	return append(buf, 'n')
}
