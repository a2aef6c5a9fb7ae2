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

// Consistency is the required freshness of a read. Empty leaves the choice to the server.
type Consistency string

// The consistency levels of requests.
const (
	Local  Consistency = "local"  // the state applied by the node that gets the request
	Leader Consistency = "leader" // the state applied by the leader
	Strong Consistency = "strong" // linearizable
)

func (c Consistency) check() error {
	switch c {
	case "", Local, Leader, Strong:
		return nil
	}
	return fmt.Errorf("unknown consistency %q: must be local, leader or strong", string(c))
}

// Request is a client's request.
type Request struct {
	SQL         string
	Params      []any // nil, int64, float64, string or []byte
	Consistency Consistency
}

// Append appends the request's JSON to dst. It returns an error, and dst unchanged, for SQL that
// is not UTF-8, for an unknown consistency and for a parameter of another Go type.
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

// DecodeRequest reads one request, after which r must end. An unknown key is an error: a misspelt
// "params" must not run a statement without its parameters. The request is held in memory. The
// caller must limit r; an error of r is wrapped.
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

// MaxParams is the maximum number of parameters of a request.
const MaxParams = 1 << 20

// parameters are decoded one by one, so that too many are detected before they use memory.
type parameters []any

// parameterError describes an invalid parameter, or invalid parameters as a whole.
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
		if from.PeekKind() == '[' { // may be nested to any depth
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

// explain converts the JSON library's error to one about the request.
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
	if cause := errors.Unwrap(err); cause != nil { // drop the library's own text
		err = cause
	}
	return fmt.Errorf("reading the request: %w", err)
}

// endedError says that the body ends before its JSON does.
type endedError struct{ cause error }

func (e *endedError) Error() string { return "the request is empty or ends early" }
func (e *endedError) Unwrap() error { return e.cause }

// explainSyntax describes a syntax error. The library has no error values for a byte order mark
// and for trailing data, so they are recognized by its text.
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
		return fmt.Errorf("%s is not valid JSON: duplicate key %q", what, err.JSONPointer.LastToken())
	case err.ByteOffset == 0 && strings.Contains(reason, `\ufeff`):
		return errors.New("the request begins with a byte order mark (BOM): send UTF-8 without one")
	case strings.Contains(reason, "after top-level value"):
		return fmt.Errorf("the request has trailing data after the JSON object, at byte %d", err.ByteOffset)
	}
	return fmt.Errorf("%s is not valid JSON: %s, at byte %d", what, reason, err.ByteOffset)
}
