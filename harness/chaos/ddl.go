package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

type ddl struct {
	script
	tables, others *elements
}

// DDL is a schema that changes while rows are written: tables come and go, columns
// and indexes come.
func DDL(ns string) Workload { return ddl{newScript("ddl", ns), &elements{}, &elements{}} }

func (w ddl) Next(chance *rand.Rand, _ int) Operation {
	switch chance.IntN(10) {
	case 0, 1:
		value := w.tables.next()
		o := w.change("create", journal.Add, "ddl/tables", value)
		o.Done = w.tables.known(value)
		return o
	case 2:
		if value, found := w.tables.takeOne(chance); found {
			return w.change("drop", journal.Remove, "ddl/tables", value)
		}
	case 3:
		return w.change("column", journal.Add, "ddl/columns", w.others.next())
	case 4:
		return w.change("index", journal.Add, "ddl/indexes", w.others.next())
	case 5:
		return w.read("tables").at(journal.Strong)
	}
	value := w.others.next()
	return once(journal.Set, journal.Step{Do: journal.Add, Key: "ddl/rows", Value: value}, w.sql("insert"), value)
}

// change is a request that has the value in a name. It may be several statements.
func (w ddl) change(request string, do journal.Do, key string, value int64) Operation {
	steps := []journal.Step{{Do: do, Key: key, Value: value}}
	return Operation{Op: journal.Op{Model: journal.Set, Steps: steps}, SQL: strings.ReplaceAll(w.sql(request), "{v}", strconv.FormatInt(value, 10)),
		Read: func(harness.Result) ([]journal.Step, error) { return steps, nil }}
}

func (w ddl) read(what string) Operation {
	return once(journal.Set, journal.Step{Do: journal.Read, Key: "ddl/" + what}, w.sql(what))
}

// columns is a read of the columns of the table, which SQLite tells in the words of
// its declaration.
func (w ddl) columns() Operation {
	o := w.read("columns")
	o.Read = func(r harness.Result) ([]journal.Step, error) {
		declaration, err := r.Value()
		if err != nil {
			return nil, err
		}
		got := []int64{}
		for _, found := range columnName.FindAllStringSubmatch(fmt.Sprint(declaration), -1) {
			number, err := strconv.ParseInt(found[1], 10, 64)
			if err != nil {
				return nil, err
			}
			got = append(got, number)
		}
		return []journal.Step{{Do: journal.Read, Key: "ddl/columns", Got: got}}, nil
	}
	return o
}

var columnName = regexp.MustCompile(`\bc_([0-9]+)\b`)

func (w ddl) Final(ctx context.Context, c *harness.Cluster) error {
	var errs []error
	errs = append(errs, w.final(ctx, c, w.columns()))
	for _, what := range []string{"tables", "indexes", "rows"} {
		errs = append(errs, w.final(ctx, c, w.read(what)))
	}
	return errors.Join(errs...)
}
