package dialect_test

import (
	"context"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

func TestDialect(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Dialects")
}

// texts returns the statements in which a dialect says a request without parameters.
func texts(ctx context.Context, d dialect.Dialect, sql string) ([]string, error) {
	statements, err := d.Translate(ctx, target.Request{SQL: sql}, finds)
	all := make([]string, len(statements))
	for i, s := range statements {
		all[i] = s.SQL
	}
	return all, err
}

// nothing is a lookup that finds nothing.
func nothing(context.Context, string, ...any) ([][]any, error) { return nil, nil }

// finds is a lookup that finds a table.
func finds(context.Context, string, ...any) ([][]any, error) { return [][]any{{"found"}}, nil }
