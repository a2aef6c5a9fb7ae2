package sqldb

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// namespaced is the error of a request that was not applied, of kind target.ErrNoSuchNamespace if that is why it failed.
func namespaced(ctx context.Context, o Options, failed *target.Error, request target.Request, lookup dialect.Lookup) *target.Error {
	finder, finds := o.Dialect.(dialect.Finder)
	if !finds || failed.Outcome != target.NotApplied || failed.Temporary {
		return failed
	}
	switch failed.Kind {
	case nil, target.ErrNoSuchTable, target.ErrSyntax:
	default:
		return failed
	}
	namespace, err := finder.Missing(ctx, request, lookup)
	if err != nil || namespace == "" {
		return failed // what the database has said is all that is known
	}
	out := *failed
	out.Kind, out.Message = target.ErrNoSuchNamespace, fmt.Sprintf("the namespace %s does not exist: %s", namespace, failed.Message)
	return &out
}

// namespaced asks on a connection of its own: the transaction of the request is over.
func (r *run) namespaced(failed *target.Error, request target.Request) *target.Error {
	return namespaced(r.ctx, r.db.options, failed, request, func(_ context.Context, sql string, params ...any) ([][]any, error) {
		s, err := r.connect()
		if err != nil {
			return nil, err
		}
		rows, err := tx{r, s}.Query(r.ctx, sql, params...)
		if err != nil {
			s.discard()
			return nil, err
		}
		s.release()
		return rows, nil
	})
}
