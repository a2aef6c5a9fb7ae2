package dialect

import (
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// create rewrites CREATE.
func (r *rewriter) create() error {
	i := r.skip(1, "UNIQUE")
	switch what := r.word(i); what {
	case "TABLE":
		return r.createTable(r.skip(i+1, "IF", "NOT", "EXISTS"))
	case "INDEX":
		return r.createIndex(r.skip(i+1, "IF", "NOT", "EXISTS"))
	case "VIEW":
		return nil
	case "TRIGGER":
		return r.unsupported("a trigger of SQLite")
	default:
		return r.unsupported("CREATE %s", what)
	}
}

// createIndex rewrites from the name of the index on, which has the namespace in SQLite, where others have it at the table.
func (r *rewriter) createIndex(i int) error {
	namespace, index, next := r.name(i)
	if r.word(next) != "ON" {
		return nil
	}
	home, table, end := r.name(next + 1)
	if home == (name{}) {
		home = namespace
	}
	r.replace(i, next, index.spelled)
	r.replace(next+1, end, home.in(table.spelled))
	if where := r.find(end, "WHERE"); where >= 0 && !r.family.Partial {
		return r.unsupported("an index of a part of the rows")
	}
	return nil
}

// createTable rewrites from the name of the table on.
func (r *rewriter) createTable(i int) error {
	namespace, table, open := r.name(i)
	if r.word(open) != "(" {
		return nil // CREATE TABLE … AS
	}
	end := r.closing(open)
	var items [][2]int
	for from := open + 1; from < end; {
		to := r.find(from, ",", ")")
		items = append(items, [2]int{from, to})
		from = to + 1
	}
	keys := r.keyColumns(items)
	for _, item := range items {
		if slices.Contains(tableConstraints, r.word(item[0])) {
			r.references(item[0], item[1], namespace)
			continue
		}
		if err := r.column(item[0], item[1], namespace, table, keys); err != nil {
			return err
		}
	}
	r.drop(end+1, len(r.tokens)) // WITHOUT ROWID, STRICT
	return nil
}

var (
	tableConstraints  = []string{"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}
	columnConstraints = []string{"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED",
		"AS"}
)

// keyColumns returns the columns that constraints of the table make keys, in lower case.
func (r *rewriter) keyColumns(items [][2]int) (keys []string) {
	for _, item := range items {
		i := r.find(item[0], "PRIMARY", "UNIQUE")
		if i < 0 || i >= item[1] || !slices.Contains(tableConstraints, r.word(item[0])) {
			continue
		}
		for open := r.find(i, "("); open >= 0 && open < item[1]; open++ {
			keys = append(keys, r.nameAt(open).value)
		}
	}
	return keys
}

// column rewrites the definition of a column.
func (r *rewriter) column(from, to int, namespace, table name, keys []string) error {
	column := r.nameAt(from)
	kind := from + 1
	end := kind
	for end < to && !slices.Contains(columnConstraints, r.word(end)) {
		end++
	}
	if end == kind {
		return r.unsupported("a column without a type")
	}
	declared := strings.ToUpper(r.part.Text[r.tokens[kind].From:r.tokens[end-1].To])
	if declared == "INTEGER" && r.are(end, "PRIMARY", "KEY") {
		after := end + 2
		for slices.Contains([]string{"ASC", "AUTOINCREMENT"}, r.word(after)) {
			after++
		}
		r.replace(kind, after, serial(r.family.Serial, namespace, table, column))
		if r.family.AfterSerial != "" {
			r.after = append(r.after, serial(r.family.AfterSerial, namespace, table, column))
		}
		end = after
	} else {
		isKey := slices.Contains(keys, column.value) || r.within(end, to, "PRIMARY") || r.within(end, to, "UNIQUE")
		r.replace(kind, end, r.typeOf(declared, isKey))
	}
	r.references(end, to, namespace)
	return r.constraints(end, to, declared)
}

// serial is a template of the family with names.
func serial(template string, namespace, table, column name) string {
	sequence := namespace.in(quoted(table.value + "_" + column.value + "_seq"))
	return strings.NewReplacer("{table}", namespace.in(table.spelled), "{column}", column.spelled, "{column text}", text(column.value),
		"{sequence}", sequence, "{sequence text}", text(sequence)).Replace(template)
}

// typeOf is a declared type in the words of the family.
func (r *rewriter) typeOf(declared string, key bool) string {
	if declared == "TEXT" && key && r.family.KeyText != "" {
		return r.family.KeyText
	}
	if t, known := r.family.Types[declared]; known {
		return t
	}
	return declared
}

// within tells whether a word stands between two tokens, outside of parentheses.
func (r *rewriter) within(from, to int, word string) bool {
	i := r.find(from, word)
	return i >= 0 && i < to
}

// references puts the namespace of a table before the table that its foreign key names.
func (r *rewriter) references(from, to int, namespace name) {
	i := r.find(from, "REFERENCES")
	if i < 0 || i >= to {
		return
	}
	if home, table, next := r.name(i + 1); home == (name{}) {
		r.replace(i+1, next, namespace.in(table.spelled))
	}
}

// constraints rewrites the constraints of a column.
func (r *rewriter) constraints(from, to int, declared string) error {
	if i := r.find(from, "COLLATE"); i >= 0 && i < to {
		if r.word(i+1) != "BINARY" {
			return r.unsupported("the collation %s", r.word(i+1))
		}
		r.drop(i, i+2)
	}
	i := r.find(from, "DEFAULT")
	if i >= 0 && i+1 < to && r.word(i+1) == "(" && !r.family.OwnDefaults {
		for at := i + 1; at < r.closing(i+1); at++ {
			if own := r.word(at); own == "RANDOMBLOB" || own == "ZEROBLOB" {
				return r.unsupported("%s in a default", strings.ToLower(own))
			}
		}
	}
	if i < 0 || i >= to || r.word(i+1) == "(" || r.family.TextDefaults || declared != "TEXT" && declared != "BLOB" {
		return nil
	}
	if r.tokens[i+1].Kind == sqltext.OtherToken { // a sign
		return nil
	}
	r.text[i+1] = "(" + r.text[i+1] + ")"
	return nil
}

// alter rewrites ALTER TABLE.
func (r *rewriter) alter() error {
	if r.word(1) != "TABLE" {
		return r.unsupported("ALTER %s", r.word(1))
	}
	namespace, table, i := r.name(2)
	switch {
	case r.are(i, "RENAME", "TO") && !r.family.RenamesWithin:
		_, renamed, end := r.name(i + 2)
		r.replace(i+2, end, namespace.in(renamed.spelled))
	case r.word(i) == "ADD":
		return r.column(r.skip(i+1, "COLUMN"), len(r.tokens), namespace, table, nil)
	}
	return nil
}
