package live

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Side is the answers of all members to one query, each from its own state and past every fault, side by side.
type Side struct {
	Columns []string `json:"columns"`
	Nodes   []Column `json:"nodes"`
	Lines   []Line   `json:"lines"`
	By      string   `json:"by"`            // how rows are matched: by the first column, or by their place
	Differ  int      `json:"differ"`        // lines in which the nodes differ
	Total   int      `json:"total"`         // lines, listed or not
	Tables  []string `json:"tables"`        // that there are, for the next query
	Cut     bool     `json:"cut,omitempty"` // only the first rows of each node were read
}

// Column is what one node answered.
type Column struct {
	Index int    `json:"index"`
	From  uint64 `json:"from"` // the log index that it had applied before it was asked
	To    uint64 `json:"to"`   // … and after it had answered
	Rows  int    `json:"rows"`
	Error string `json:"error,omitempty"`
}

// Line is a row as each node has it.
type Line struct {
	Skipped int      `json:"skipped,omitempty"` // lines before it that are not listed, because the nodes agree on them
	Rows    [][]Cell `json:"rows"`              // by node; null if it has none
	Wrong   [][]int  `json:"wrong,omitempty"`   // by node: the columns in which it differs from most nodes
}

// The bounds of what is compared and listed.
const (
	mostCompared = 2000 // rows of a node
	mostListed   = 60   // lines
	rowsLimit    = 5 * time.Second
)

// postRows asks all members for the answer to a query. Without a query it only tells the tables.
func (p *Page) postRows(w http.ResponseWriter, r *http.Request) {
	var q struct {
		SQL string `json:"sql"`
	}
	if !read(w, r, &q) {
		return
	}
	if err := readsOnly(q.SQL); err != nil {
		refuse(w, http.StatusBadRequest, sentence(err))
		return
	}
	ctx, over, ok := p.beginFor(r, rowsLimit)
	if !ok {
		stopping(w)
		return
	}
	defer over()
	side := Side{Columns: []string{}, Nodes: []Column{}, Lines: []Line{}, Tables: p.tables(ctx)}
	if q.SQL != "" {
		side.fill(ctx, p.cluster, q.SQL)
	}
	answer(w, http.StatusOK, side)
}

// readsOnly returns an error unless the text is at most one statement that only reads: all nodes are asked for it, again and again.
func readsOnly(sql string) error {
	statements, err := sqltext.Split(sql)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if s.Kind != sqltext.Other || s.ChangesRows() || s.ChangesSchema() {
			return errors.New("only a query can be shown side by side, and this changes data: " + sqltext.Abridged(s.Text))
		}
	}
	if len(statements) > 1 {
		return errors.New("only one query can be shown side by side")
	}
	return nil
}

// reply is the rows of one node.
type reply struct {
	columns []string
	rows    [][]Cell
	cut     bool
	err     error
}

func (s *Side) fill(ctx context.Context, c *harness.Cluster, sql string) {
	before := applied(ctx, c)
	nodes := c.Nodes()
	replies := make([]reply, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		if mode, lost := c.Lost(n.Index()); lost && mode != "isolate" {
			replies[i].err = errors.New("the node is " + mode.Past())
			continue
		}
		wg.Go(func() { replies[i] = ask(ctx, n.Inside().Reading(target.Local).AsIs(), sql) })
	}
	wg.Wait()
	after := applied(ctx, c)
	for i, n := range nodes {
		column := Column{Index: n.Index(), From: before[n.Index()], To: after[n.Index()], Rows: len(replies[i].rows)}
		if len(s.Columns) == 0 {
			s.Columns = append(s.Columns, replies[i].columns...)
		}
		switch {
		case replies[i].err != nil:
			column.Error = sentence(replies[i].err)
		case !slices.Equal(s.Columns, replies[i].columns):
			column.Error = "The columns are others: " + strings.Join(replies[i].columns, ", ")
			replies[i].err = errors.New("other columns")
		}
		s.Cut = s.Cut || replies[i].cut
		s.Nodes = append(s.Nodes, column)
	}
	s.align(replies)
}

// applied is the log index that each node has applied.
func applied(ctx context.Context, c *harness.Cluster) map[int]uint64 {
	indexes := make(map[int]uint64)
	for _, o := range c.Peek(ctx) {
		if o.Err == nil {
			indexes[o.Node.Index()] = o.Status.AppliedIndex
		}
	}
	return indexes
}

// ask reads the answer of a node, up to a bound. The journal has nothing of it.
func ask(ctx context.Context, n *harness.Node, sql string) (r reply) {
	rows, err := n.Query(ctx, sql)
	if err != nil {
		return reply{err: err}
	}
	defer func() {
		if err := rows.Close(); !r.cut {
			r.err = cmp.Or(r.err, err)
		}
	}()
	for rows.NextResult() {
		for rows.Next() {
			if len(r.rows) == mostCompared {
				r.cut = true
				break
			}
			row, err := rows.Row()
			if err != nil {
				return reply{err: err}
			}
			r.rows = append(r.rows, cellsOf(row))
		}
		for _, c := range rows.Columns() {
			r.columns = append(r.columns, c.Name)
		}
		break //nolint:staticcheck // there is one statement
	}
	if !r.cut {
		r.err = rows.Err()
	}
	return r
}

// align puts rows of the nodes that belong together into one line.
func (s *Side) align(replies []reply) {
	lines, byKey := byFirstColumn(replies)
	s.By = "the first column"
	if !byKey {
		s.By = "their place"
		lines = byPlace(replies)
	}
	s.Total = len(lines)
	asked := make([]bool, len(replies))
	for i, r := range replies {
		asked[i] = r.err == nil
	}
	for i := range lines {
		lines[i].compare(asked)
		if lines[i].Wrong != nil {
			s.Differ++
		}
	}
	s.Lines = listed(lines)
}

// byFirstColumn matches rows by the values of their first column, if each is there once at every node.
func byFirstColumn(replies []reply) (lines []Line, ok bool) {
	at := make(map[Cell]int)
	var keys []Cell
	numbers := true
	for node, r := range replies {
		for _, row := range r.rows {
			if r.err != nil {
				break
			}
			if len(row) == 0 {
				return nil, false
			}
			i, known := at[row[0]]
			if !known {
				i = len(lines)
				at[row[0]] = i
				keys = append(keys, row[0])
				lines = append(lines, Line{Rows: make([][]Cell, len(replies))})
				numbers = numbers && row[0].Kind == "number"
			}
			if lines[i].Rows[node] != nil {
				return nil, false
			}
			lines[i].Rows[node] = row
		}
	}
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	if numbers {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(numberOf(keys[a]), numberOf(keys[b])) })
	}
	sorted := make([]Line, len(lines))
	for i, from := range order {
		sorted[i] = lines[from]
	}
	return sorted, true
}

func numberOf(c Cell) float64 {
	n, _ := strconv.ParseFloat(c.Text, 64) // 0 for what is none: only the order depends on it
	return n
}

func byPlace(replies []reply) []Line {
	most := 0
	for _, r := range replies {
		if r.err == nil {
			most = max(most, len(r.rows))
		}
	}
	lines := make([]Line, most)
	for i := range lines {
		lines[i].Rows = make([][]Cell, len(replies))
		for node, r := range replies {
			if r.err == nil && i < len(r.rows) {
				lines[i].Rows[node] = r.rows[i]
			}
		}
	}
	return lines
}

// compare notes in which columns each node differs from what most of those that have the row have; all that differ if no value has
// most of them. A node that was not asked, or does not have the row, has no such columns; if another one has it, the line differs.
func (l *Line) compare(asked []bool) {
	wrong, differs := make([][]int, len(l.Rows)), false
	count := 0
	for i, row := range l.Rows {
		if row != nil {
			count = max(count, len(row))
		}
		differs = differs || asked[i] && row == nil
		wrong[i] = []int{}
	}
	for column := range count {
		votes := make(map[Cell]int)
		total := 0
		for _, row := range l.Rows {
			if column < len(row) {
				votes[row[column]]++
				total++
			}
		}
		if len(votes) < 2 {
			continue
		}
		differs = true
		for i, row := range l.Rows {
			if column < len(row) && 2*votes[row[column]] <= total {
				wrong[i] = append(wrong[i], column)
			}
		}
	}
	if differs {
		l.Wrong = wrong
	}
}

// listed chooses the lines to show: first those that differ, then the last ones.
func listed(lines []Line) []Line {
	chosen := make([]bool, len(lines))
	left := mostListed
	choose := func(i int) {
		if left > 0 && !chosen[i] {
			chosen[i] = true
			left--
		}
	}
	for i := range lines {
		if lines[i].Wrong != nil {
			choose(i)
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		choose(i)
	}
	shown, skipped := []Line{}, 0
	for i, line := range lines {
		if !chosen[i] {
			skipped++
			continue
		}
		line.Skipped, skipped = skipped, 0
		shown = append(shown, line)
	}
	return shown
}

// The queries that tell tables, each in the words of some databases.
var tableQueries = []string{
	"SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
	"SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema NOT IN " +
		"('information_schema', 'pg_catalog', 'mysql', 'performance_schema', 'sys') ORDER BY 1",
	"SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE table_schema NOT IN " +
		"('information_schema', 'pg_catalog', 'mysql', 'performance_schema', 'sys') ORDER BY 1",
}

// tables are the names of tables that some node knows. A database that has none of the words for it tells none.
func (p *Page) tables(ctx context.Context) []string {
	names := []string{}
	for _, n := range p.cluster.OnlineNodes() {
		for _, query := range tableQueries {
			r := ask(ctx, n.Inside().Reading(target.Local).AsIs(), query)
			if r.err != nil {
				continue
			}
			for _, row := range r.rows {
				name := row[0].Text
				if !strings.HasPrefix(name, "rejoin_") && !strings.HasPrefix(name, "sqlite_") {
					names = append(names, name)
				}
			}
			return names
		}
	}
	return names
}
