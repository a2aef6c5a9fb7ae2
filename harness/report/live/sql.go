package live

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Query is a request to a node.
type Query struct {
	Node        int    `json:"node"`
	SQL         string `json:"sql"`
	Consistency string `json:"consistency,omitempty"`
	Inside      bool   `json:"inside,omitempty"` // past every fault, as from the node's own host
}

// Answer is what a node answers.
type Answer struct {
	Tables []Table `json:"tables"`
	Took   string  `json:"took"`
}

// Table is the answer to one statement.
type Table struct {
	Columns  []string `json:"columns"`
	Rows     [][]Cell `json:"rows"`           // at most mostRows
	More     int      `json:"more,omitempty"` // rows that are not listed
	Affected int64    `json:"affected"`
}

// Cell is a value of a row, as text. Kind is null, number, text or blob.
type Cell struct {
	Kind string `json:"k"`
	Text string `json:"t,omitempty"`
}

// Refusal is why a request failed.
type Refusal struct {
	Error   string `json:"error"`
	Code    string `json:"code,omitempty"`    // the database's own
	Kind    string `json:"kind,omitempty"`    // a kind of package target
	Outcome string `json:"outcome,omitempty"` // what became of the request
}

// The bounds of what is shown of an answer.
const (
	mostRows = 200
	mostText = 400 // bytes of a cell
	sqlLimit = 10 * time.Second
)

// consistencies are those that a read can have.
var consistencies = []target.Consistency{target.Default, target.Local, target.Leader, target.Strong}

// postSQL sends a request to a node as its clients do.
func (p *Page) postSQL(w http.ResponseWriter, r *http.Request) {
	var q Query
	if !read(w, r, &q) {
		return
	}
	n, err := p.cluster.Node(q.Node)
	level := target.Consistency(q.Consistency)
	switch {
	case err != nil:
	case q.SQL == "":
		err = bad("there is no statement to run")
	case !slices.Contains(consistencies, level):
		err = bad("there is no consistency %q: it is local, leader or strong", q.Consistency)
	}
	if err != nil {
		refuse(w, statusOf(err), sentence(err))
		return
	}
	ctx, over, ok := p.beginFor(r, sqlLimit)
	if !ok {
		stopping(w)
		return
	}
	defer over()
	n = n.Reading(level).AsIs()
	if q.Inside {
		n = n.Inside()
	}
	begun := time.Now()
	result, err := n.Execute(ctx, q.SQL)
	p.look()
	if err != nil {
		answer(w, http.StatusUnprocessableEntity, refusalOf(err))
		return
	}
	a := Answer{Tables: []Table{}, Took: time.Since(begun).Round(10 * time.Microsecond).String()}
	for _, t := range result.Tables {
		a.Tables = append(a.Tables, tableOf(t))
	}
	answer(w, http.StatusOK, a)
}

func refusalOf(err error) Refusal {
	r := Refusal{Error: sentence(err), Outcome: target.OutcomeOf(err).String()}
	var said *target.Error
	if errors.As(err, &said) {
		r.Code = said.Code
		if said.Kind != nil {
			r.Kind = said.Kind.Error()
		}
	}
	return r
}

func tableOf(t harness.Table) Table {
	shown := Table{Columns: []string{}, Rows: [][]Cell{}, Affected: t.Affected, More: max(len(t.Rows)-mostRows, 0)}
	for _, c := range t.Columns {
		shown.Columns = append(shown.Columns, c.Name)
	}
	for _, row := range t.Rows[:min(len(t.Rows), mostRows)] {
		shown.Rows = append(shown.Rows, cellsOf(row))
	}
	return shown
}

func cellsOf(row []any) []Cell {
	cells := make([]Cell, len(row))
	for i, v := range row {
		cells[i] = cellOf(v)
	}
	return cells
}

func cellOf(v any) Cell {
	switch v := v.(type) {
	case nil:
		return Cell{Kind: "null"}
	case int64:
		return Cell{"number", strconv.FormatInt(v, 10)}
	case float64:
		return Cell{"number", strconv.FormatFloat(v, 'g', -1, 64)}
	case []byte:
		return Cell{"blob", shortened("x'"+hex.EncodeToString(v[:min(len(v), mostText)])+"'", len(v) > mostText)}
	case string:
		end := min(len(v), mostText)
		for end < len(v) && end > 0 && !utf8.RuneStart(v[end]) { // do not cut a letter
			end--
		}
		return Cell{"text", shortened(v[:end], end < len(v))}
	}
	return Cell{"text", fmt.Sprint(v)}
}

func shortened(text string, is bool) string {
	if is {
		return text + "…"
	}
	return text
}
