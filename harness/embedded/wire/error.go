package wire

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// OutcomeUnknown is the Outcome of an error after which the statements may or may not have been
// applied.
const OutcomeUnknown = "unknown"

var (
	// ErrCut tells the caller of Writer.Fail to cut the connection, because part of the answer
	// was sent before it failed.
	ErrCut = errors.New("part of the answer was sent before it failed: the connection must be cut")

	// ErrMalformed is wrapped by the errors of a Reader for bytes that are not an answer, or an
	// inconsistent one.
	ErrMalformed = errors.New("malformed answer")

	// ErrTooLarge is wrapped by the error of a Reader for a row, or any other single part of an
	// answer, that exceeds its limit.
	ErrTooLarge = errors.New("over the limit")
)

// Error is a failure reported by the server.
type Error struct {
	Code    string // for programs, such as SQL_ERROR
	Message string // for people
	Outcome string // OutcomeUnknown, or empty if the server did not send one
}

// Error returns code and message, and the outcome if it is not empty.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = "the server reported an error without a message"
	}
	if e.Code != "" {
		text = e.Code + ": " + text
	}
	switch e.Outcome {
	case "":
		return text
	case OutcomeUnknown:
		return text + " (outcome unknown: it may have been applied)"
	default:
		return text + " (outcome: " + e.Outcome + ")"
	}
}

// append appends the error as an object. An error must always be encodable, so invalid UTF-8
// becomes U+FFFD, here only.
func (e *Error) append(dst []byte) []byte {
	dst = append(dst, `{"code":`...)
	dst, _ = jsontext.AppendQuote(dst, e.Code)
	dst = append(dst, `,"message":`...)
	dst, _ = jsontext.AppendQuote(dst, e.Message)
	if e.Outcome != "" {
		dst = append(dst, `,"outcome":`...)
		dst, _ = jsontext.AppendQuote(dst, e.Outcome)
	}
	return append(dst, '}')
}

// parseError parses the "error" of an answer. It also accepts the forms of other servers: a plain
// string, and members that are not strings.
func parseError(raw jsontext.Value) (*Error, error) {
	if raw.Kind() != '{' {
		text, err := looseText(raw)
		return &Error{Message: text}, err
	}
	var members struct {
		Code    jsontext.Value `json:"code"`
		Message jsontext.Value `json:"message"`
		Outcome jsontext.Value `json:"outcome"`
	}
	if err := json.Unmarshal(raw, &members, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, err
	}
	var e Error
	var problems [3]error
	e.Code, problems[0] = looseText(members.Code)
	e.Message, problems[1] = looseText(members.Message)
	e.Outcome, problems[2] = looseText(members.Outcome)
	return &e, errors.Join(problems[:]...)
}

// looseText returns the text of a string, "" for null or an absent value, and the JSON of any
// other value.
func looseText(raw jsontext.Value) (string, error) {
	switch raw.Kind() {
	case '"':
		text, err := jsontext.AppendUnquote(nil, raw)
		return string(text), err
	case 'n', jsontext.KindInvalid:
		return "", nil
	default:
		if !raw.IsValid(jsontext.AllowDuplicateNames(true)) {
			return "", errors.New("its value is not valid JSON")
		}
		return string(raw), nil
	}
}
