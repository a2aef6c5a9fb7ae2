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

// SQLiteDigest hashes the schema and all rows of a node's own SQLite database, whatever the order of the rows, and returns the
// index of that state. It reads one table after the other, and again from the first until index is the same before and after. It
// blocks until then, or until ctx ends.
func SQLiteDigest(ctx context.Context, inside target.SQL, index func(context.Context) (uint64, error)) (at uint64, sum string, err error) {
	for {
		before, err := index(ctx)
		if err != nil {
			return 0, "", err
		}
		if sum, err = hash(ctx, inside); err != nil {
			return 0, "", err
		}
		if at, err = index(ctx); err != nil || at == before {
			return at, sum, err
		}
	}
}

func hash(ctx context.Context, inside target.SQL) (string, error) {
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
