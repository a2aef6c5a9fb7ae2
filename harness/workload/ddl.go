package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// DDL creates tables, adds columns and indexes to them, inserts rows, and drops tables. The objects are values of
// the sets ddl/tables, ddl/columns, ddl/indexes and ddl/rows; each value is a number that was not used before. A
// client changes only its own tables, so that it knows what it drops with one.
func DDL(ns string) Workload {
	return &ddl{ns: ns, sql: readStatements("ddl", ns), owned: make(map[int][]*ownTable)}
}

const (
	tablesKey  = "ddl/tables"
	columnsKey = "ddl/columns"
	indexesKey = "ddl/indexes"
	rowsKey    = "ddl/rows"
)

type ddl struct {
	ns  string
	sql statements

	mu    sync.Mutex
	last  int64               // the last number that was used
	owned map[int][]*ownTable // by client
}

// ownTable is a table of a client, with everything that may be in it.
type ownTable struct {
	number  int64
	content []journal.Step // the steps that added it
}

// mostTables is how many tables a client has at a time.
const mostTables = 3

func (w *ddl) Name() string { return "ddl" }

func (w *ddl) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

func (w *ddl) Next(r *rand.Rand, client int) Operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	tables := w.owned[client]
	if len(tables) == 0 {
		return w.create(client)
	}
	i := r.IntN(len(tables))
	switch chance := r.IntN(10); {
	case chance == 0 && len(tables) < mostTables:
		return w.create(client)
	case chance <= 1:
		return w.drop(client, i)
	case chance == 2:
		return w.add(tables[i], columnsKey, "add-column")
	case chance == 3:
		return w.add(tables[i], indexesKey, "create-index")
	default:
		return w.add(tables[i], rowsKey, "insert", w.last)
	}
}

// create creates a table, which the client owns once that is acknowledged.
func (w *ddl) create(client int) Operation {
	t := &ownTable{number: w.last}
	return Operation{
		Op: journal.Op{Model: journal.Set, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Add, Key: tablesKey, Value: t.number},
		}},
		SQL: w.of(t, "create"),
		Read: func(harness.Result) ([]journal.Step, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.owned[client] = append(w.owned[client], t)
			return nil, nil
		},
	}
}

// drop drops a client's table. The client does not use the table again, whatever the outcome.
func (w *ddl) drop(client, i int) Operation {
	t := w.owned[client][i]
	w.owned[client] = append(w.owned[client][:i:i], w.owned[client][i+1:]...)
	steps := []journal.Step{{Do: journal.Remove, Key: tablesKey, Value: t.number}}
	for _, s := range t.content {
		steps = append(steps, journal.Step{Do: journal.Remove, Key: s.Key, Value: s.Value})
	}
	return Operation{Op: journal.Op{Model: journal.Set, Level: journal.Strong, Steps: steps}, SQL: w.of(t, "drop")}
}

// add adds something to a client's table, with the number that was used last.
func (w *ddl) add(t *ownTable, key, request string, args ...any) Operation {
	step := journal.Step{Do: journal.Add, Key: key, Value: w.last}
	t.content = append(t.content, step)
	return Operation{
		Op:  journal.Op{Model: journal.Set, Level: journal.Strong, Steps: []journal.Step{step}},
		SQL: w.of(t, request), Args: args,
	}
}

// of returns a request about a table, and about a column or index with the number that was used last.
func (w *ddl) of(t *ownTable, request string) string {
	return w.sql.get(request, "{table}", tableName(t.number), "{column}", fmt.Sprintf("c%d", w.last), "{index}", fmt.Sprintf("i%d", w.last))
}

func tableName(number int64) string { return fmt.Sprintf("t%d", number) }

// Final reads the schema, and then the rows of all tables in it.
func (w *ddl) Final(ctx context.Context, c *harness.Cluster) error {
	return onEach(c, func(node *harness.Node) error {
		var tables []int64
		err := finalOn(ctx, c, node, Operation{
			Op: journal.Op{Model: journal.Set}, SQL: w.sql.get("schema"),
			Read: func(r harness.Result) ([]journal.Step, error) {
				s, err := readSchema(r, w.ns)
				tables = s.tables
				return s.steps(), err
			},
		})
		if err != nil || len(tables) == 0 {
			return err
		}
		return w.finalRows(ctx, c, node, tables)
	})
}

func (w *ddl) finalRows(ctx context.Context, c *harness.Cluster, node *harness.Node, tables []int64) error {
	var sql string
	for _, number := range tables {
		sql += w.sql.get("rows", "{table}", tableName(number)) + "\n"
	}
	err := finalOn(ctx, c, node, Operation{
		Op: journal.Op{Model: journal.Set}, SQL: sql,
		Read: func(r harness.Result) ([]journal.Step, error) {
			all := []int64{}
			for i := range tables {
				rows, err := column(r, i)
				if err != nil {
					return nil, err
				}
				all = append(all, rows...)
			}
			return []journal.Step{got(rowsKey, all)}, nil
		},
	})
	return err
}
