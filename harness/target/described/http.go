package described

// HTTP is an HTTP API that executes SQL and answers with JSON.
type HTTP struct {
	// Headers are sent with each request, also with those of Status.
	Headers map[string]string
	// Write is how a request is sent, as a template of Request.
	Write Call
	// Read is how a request that only reads is sent; default like Write.
	Read *Call
	// Levels are the database's words for the consistency of a read: by the keys default, local, leader and strong.
	// Templates see the word as {{.Level}}.
	Levels map[string]string
	// Inline puts parameters into the SQL text as literals, for an API without parameters.
	Inline bool
	// Blob is how blobs are written in JSON: the key of an object around base64 text, as in {"base64": "AAE="}. If it is
	// empty, blobs are base64 text, and a column of type BLOB is read that way.
	Blob string
	// Real is how floats are written in JSON: the key of an object around their text, as in {"real": "1.5"}. If it is empty,
	// they are numbers with a point or an exponent, infinity is 9e999, and NaN is null.
	Real string
	// Text is how text that is not UTF-8 is written in JSON: the key of an object around base64 text. If it is empty, such
	// text is an error.
	Text string
	// Answer is where an answer has what.
	Answer Answer
	// Errors is how errors are read.
	Errors Errors
}

// Call is an HTTP request. All fields are templates.
type Call struct {
	// Method is GET, POST, …; default POST for a call with a body, else GET.
	Method string
	// Path is the path with its query, as in /query?level={{urlquery .Level}}.
	Path string
	// Body is the body; the function json writes a value as JSON.
	Body string
}

// Request is what templates of SQL requests see.
type Request struct {
	Node
	// SQL is the text of all statements, Statements is each of them with its own parameters.
	SQL        string
	Statements []Statement
	// Params are nil, int64, float64, string or []byte; empty with HTTP.Inline.
	Params []any
	// Level is the database's word for the consistency.
	Level string
	// ID is the idempotency key; it may be empty.
	ID string
}

// Statement is one of the statements of a Request.
type Statement struct {
	SQL    string
	Params []any
}

// Encoding is how values are written in JSON: see HTTP.Blob, HTTP.Real and HTTP.Text.
type Encoding struct{ Blob, Real, Text string }

// Encoding returns how the API writes values.
func (h HTTP) Encoding() Encoding { return Encoding{h.Blob, h.Real, h.Text} }

// Answer is where the JSON of an answer has what. Fields are paths: names and indexes with points between them, as in
// results.0.rows. An empty path is the value itself.
type Answer struct {
	// Results is a list with a result for each statement. If it is empty, the answer is the only result.
	Results string
	// Columns is a list of the columns in a result. If Rows are objects it may be empty.
	Columns string
	// ColumnName and ColumnType are the name and the type within an element of Columns. If ColumnName is empty, the
	// element is the name.
	ColumnName, ColumnType string
	// Types is a list of the types of the columns in a result, if they are beside Columns.
	Types string
	// Rows is the list of rows in a result: lists or objects. It may be missing from an answer.
	Rows string
	// Affected is the number of changed rows in a result.
	Affected string
	// Complete is a path that an answer without error has; if it is missing the answer is incomplete.
	Complete string
}

// Errors is how an answer tells an error.
type Errors struct {
	// Code, Message and Outcome are paths in the answer. An answer with one of them that is not null and not empty is an
	// error, and so is one with an HTTP status of 400 and more.
	Code, Message, Outcome string
	// Result is the path in a result of the error message of its statement.
	Result string
	// Rules say what an error means; the first that fits counts. Without one the outcome is unknown.
	Rules []Rule
}

// Rule says what an error means. Conditions that are empty fit every error.
type Rule struct {
	// Status is the HTTP status, Code the code, Says the value of Errors.Outcome. Contains is a part of the message, or of
	// the whole answer if there is no message.
	Status               int
	Code, Says, Contains string
	// Outcome is unknown, not-applied or applied.
	Outcome string
	// Kind is one of Kinds, such as "no-leader"; it may be empty.
	Kind string
	// Temporary tells that the same request may succeed later or at another node.
	Temporary bool
}
