package sqltext

// Kind distinguishes the statements defined by this package from SQLite's.
type Kind int

const (
	Other           Kind = iota // a statement for SQLite
	CreateNamespace             // CREATE NAMESPACE [IF NOT EXISTS] name
	DropNamespace               // DROP NAMESPACE [IF EXISTS] name [CASCADE | RESTRICT]
)

// Statement is one statement of a text. A Statement with only Text set has kind Other and can be
// qualified like one returned by Split.
type Statement struct {
	// Text begins with the first token and ends with the last: it excludes surrounding white
	// space and comments, and the semicolon.
	Text string
	Kind Kind

	// Namespace is the name in lower case. It and the fields below are set for statements about
	// namespaces.
	Namespace   string
	IfExists    bool
	IfNotExists bool
	Cascade     bool

	plain bool // nothing to rewrite, as determined by Split
}
