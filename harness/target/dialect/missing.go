package dialect

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Finder is a Dialect that finds out whether a request failed because of a namespace: most databases only say that there is
// no such table.
type Finder interface {
	Dialect
	// Missing returns the first namespace that the request names and that does not exist; empty if there is none. It blocks
	// on lookup.
	Missing(ctx context.Context, request target.Request, lookup Lookup) (namespace string, err error)
}

var (
	_ Finder = Prefixes{}
	_ Finder = (*Family)(nil)
)

// Missing asks the table of namespaces.
func (Prefixes) Missing(ctx context.Context, request target.Request, lookup Lookup) (string, error) {
	return missing(ctx, request, lookup, "SELECT 1 FROM rejoin_namespaces WHERE name = %s")
}

// Missing asks the schema of the database.
func (f *Family) Missing(ctx context.Context, request target.Request, lookup Lookup) (string, error) {
	return missing(ctx, request, lookup, "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s")
}

func missing(ctx context.Context, request target.Request, lookup Lookup, query string) (string, error) {
	parts, err := split(request)
	if err != nil {
		return "", err
	}
	var named []string
	for _, p := range parts {
		if p.Kind != sqltext.Other {
			continue
		}
		_, err := p.Rewrite(func(name sqltext.Name) error {
			named = append(named, name.Namespace)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	for _, namespace := range named {
		rows, err := lookup(ctx, fmt.Sprintf(query, text(namespace)))
		if err != nil || len(rows) == 0 {
			return namespace, err
		}
	}
	return "", nil
}
