package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
)

// SQLiteDigest hashes the schema and all rows of a node's own SQLite database, whatever the order of the rows. It reads one table
// after the other: the caller must know that nothing changes meanwhile, as by an index that is the same before and after.
func SQLiteDigest(ctx context.Context, inside target.SQL) (string, error) {
	h := sha256.New()
	read := func(text string) ([][]any, error) {
		rows, err := All(inside.Query(ctx, target.Request{SQL: text, Consistency: target.Local}))
		encoded := make([]string, len(rows))
		for i, row := range rows {
			encoded[i] = string(target.AppendRow(nil, row))
		}
		slices.Sort(encoded)
		fmt.Fprintf(h, "%q", encoded)
		return rows, err
	}
	schema, err := read("SELECT name, type, sql FROM sqlite_schema ORDER BY name, type")
	if err != nil {
		return "", err
	}
	for _, object := range schema {
		if object[1] != "table" {
			continue
		}
		if _, err := read(`SELECT * FROM "` + strings.ReplaceAll(fmt.Sprint(object[0]), `"`, `""`) + `"`); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
