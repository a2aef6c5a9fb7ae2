package sqltext

// Kind tells the statements this package gives a meaning to from those that are SQLite's.
type Kind int

const (
	Other           Kind = iota // a statement for SQLite
	CreateNamespace             // CREATE NAMESPACE [IF NOT EXISTS] name
	DropNamespace               // DROP NAMESPACE [IF EXISTS] name [CASCADE | RESTRICT]
)

// Statement is one statement of a text. A statement with nothing but its Text is Other, and can be
// qualified like one that Split returned.
type Statement struct {
	// Text begins with the first token and ends with the last: white space and comments around
	// them, and the semicolon, are not part of it.
	Text string
	Kind Kind

	// Namespace is the name in lower case. It and what follows are for statements about namespaces.
	Namespace   string
	IfExists    bool
	IfNotExists bool
	Cascade     bool

	plain bool // Split saw that Qualify has nothing to do
}
