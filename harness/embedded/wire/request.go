package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Consistency is how fresh the answer to a read must be. Empty leaves it to
// the server.
type Consistency string

// The consistencies a request can ask for.
const (
	Local  Consistency = "local"  // what the node asked has applied
	Leader Consistency = "leader" // what the leader has applied
	Strong Consistency = "strong" // linearizable
)

func (c Consistency) check() error {
	switch c {
	case "", Local, Leader, Strong:
		return nil
	}
	return fmt.Errorf("the consistency %q does not exist: it is local, leader or strong", string(c))
}

// Request is what a client asks of a server.
type Request struct {
	SQL         string
	Params      []any // nil, int64, float64, string or []byte
	Consistency Consistency
}

// Append appends the request's JSON to dst. It fails, and returns dst as it
// was, for SQL that is not UTF-8, for a consistency that does not exist and
// for a parameter of another Go type.
func (r Request) Append(dst []byte) ([]byte, error) {
	if !utf8.ValidString(r.SQL) {
		return dst, errors.New("the SQL is not valid UTF-8: pass such bytes as a parameter")
	}
	if err := r.Consistency.check(); err != nil {
		return dst, err
	}
	out := appendText(append(dst, `{"sql":`...), r.SQL)
	if len(r.Params) > 0 {
		var err error
		if out, err = AppendRow(append(out, `,"params":`...), r.Params); err != nil {
			return dst, fmt.Errorf("the parameters: %w", err)
		}
	}
	if r.Consistency != "" {
		out = appendText(append(out, `,"consistency":`...), string(r.Consistency))
	}
	return append(out, '}'), nil
}

// DecodeRequest reads one request and expects nothing behind it. A key that
// it does not know is an error: a misspelt "params" must not run a statement
// without its parameters. It holds the request in memory; bounding r is left
// to the caller, whose error comes back wrapped.
func DecodeRequest(r io.Reader) (Request, error) {
	var body struct {
		SQL         *string     `json:"sql"`
		Params      parameters  `json:"params"`
		Consistency Consistency `json:"consistency"`
	}
	if err := json.UnmarshalRead(r, &body, json.RejectUnknownMembers(true)); err != nil {
		return Request{}, explain(err)
	}
	if body.SQL == nil {
		return Request{}, errors.New(`the request has no "sql"`)
	}
	if err := body.Consistency.check(); err != nil {
		return Request{}, err
	}
	return Request{SQL: *body.SQL, Params: body.Params, Consistency: body.Consistency}, nil
}

// MaxParams bounds the parameters of a request.
const MaxParams = 1 << 20

// parameters are read one by one, so that too many are found before they take memory.
type parameters []any

// parameterError is what is wrong with a parameter, or with all of them.
type parameterError struct{ message string }

func (e *parameterError) Error() string { return e.message }

func (p *parameters) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	switch from.PeekKind() {
	case 'n':
		return from.SkipValue()
	case '[':
	default:
		if _, err := from.ReadValue(); err != nil {
			return err
		}
		return &parameterError{`"params" must be an array`}
	}
	if _, err := from.ReadToken(); err != nil {
		return err
	}
	for from.PeekKind() != ']' {
		if from.PeekKind() == '[' { // which is as deep as it likes
			return &parameterError{fmt.Sprintf("parameter %d: an array is not a value", len(*p)+1)}
		}
		raw, err := from.ReadValue()
		if err != nil {
			return err
		}
		if len(*p) == MaxParams {
			return &parameterError{fmt.Sprintf("the request has more than %d parameters", MaxParams)}
		}
		v, err := parseParam(raw)
		if err != nil {
			return &parameterError{fmt.Sprintf("parameter %d: %v", len(*p)+1, err)}
		}
		*p = append(*p, v)
	}
	_, err := from.ReadToken()
	return err
}

func parseParam(raw []byte) (any, error) {
	p := parser{b: raw}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	return v, p.end()
}

// explain says in our words what is wrong with a request.
func explain(err error) error {
	semantic, isSemantic := errors.AsType[*json.SemanticError](err)
	syntactic, isSyntactic := errors.AsType[*jsontext.SyntacticError](err)
	parameter, isParameter := errors.AsType[*parameterError](err)
	switch {
	case isParameter:
		return parameter
	case isSemantic && errors.Is(err, json.ErrUnknownName):
		return fmt.Errorf("the request has an unknown key %q: allowed are sql, params and consistency", semantic.JSONPointer.LastToken())
	case isSemantic && semantic.JSONPointer == "":
		return errors.New("the request must be an object")
	case isSemantic:
		shape := map[string]string{"sql": "a string", "consistency": "a string"}
		key := semantic.JSONPointer.LastToken()
		return fmt.Errorf("%q must be %s", key, shape[key])
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return &endedError{err}
	case isSyntactic:
		return explainSyntax(syntactic)
	}
	if cause := errors.Unwrap(err); cause != nil { // of the library's own words
		err = cause
	}
	return fmt.Errorf("reading the request: %w", err)
}

// endedError is a body that ends before its JSON does.
type endedError struct{ cause error }

func (e *endedError) Error() string { return "the request is empty or ends early" }
func (e *endedError) Unwrap() error { return e.cause }

// explainSyntax says what is no JSON. The library has no names for what it finds: its
// words tell a byte order mark, and what comes after the end.
func explainSyntax(err *jsontext.SyntacticError) error {
	what := "the request"
	var i int
	if _, scanErr := fmt.Sscanf(string(err.JSONPointer), "/params/%d", &i); scanErr == nil {
		what = fmt.Sprintf("parameter %d", i+1)
	}
	reason := "it is not JSON"
	if err.Err != nil {
		reason = err.Err.Error()
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("%s is not valid JSON: the key %q is there twice", what, err.JSONPointer.LastToken())
	case err.ByteOffset == 0 && strings.Contains(reason, `\ufeff`):
		return errors.New("the request begins with a byte order mark (BOM): send UTF-8 without one")
	case strings.Contains(reason, "after top-level value"):
		return fmt.Errorf("the request is more than one JSON object: there is something behind it, at byte %d", err.ByteOffset)
	}
	return fmt.Errorf("%s is not valid JSON: %s, at byte %d", what, reason, err.ByteOffset)
}
