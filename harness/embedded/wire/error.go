package wire

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// OutcomeUnknown is the Outcome of an error after which nobody knows whether
// the statements were applied.
const OutcomeUnknown = "unknown"

var (
	// ErrCut tells the caller of Writer.Fail to cut the connection, because a
	// part of the answer had left before it failed.
	ErrCut = errors.New("part of the answer was sent before it failed: the connection must be cut")

	// ErrMalformed is wrapped by the errors of a Reader about bytes that are
	// not an answer, or that contradict themselves.
	ErrMalformed = errors.New("malformed answer")

	// ErrTooLarge is wrapped by the error of a Reader about a row, or another
	// single part of an answer, over its limit.
	ErrTooLarge = errors.New("over the limit")
)

// Error is a failure the server reports.
type Error struct {
	Code    string // for programs, such as SQL_ERROR
	Message string // for people
	Outcome string // OutcomeUnknown, or empty if the server says nothing of it
}

// Error gives code and message, and says so if the outcome is unknown.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = "the server reported an error and did not say which"
	}
	if e.Code != "" {
		text = e.Code + ": " + text
	}
	switch e.Outcome {
	case "":
		return text
	case OutcomeUnknown:
		return text + " (nobody knows whether it was applied)"
	default:
		return text + " (outcome: " + e.Outcome + ")"
	}
}

// append writes the error as an object. An error must get through whatever it
// quotes, so bytes that are not UTF-8 become U+FFFD here, and only here.
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

// parseError reads the "error" of an answer. It takes what other servers put
// there too, a bare string or members that are no strings: a reason in an
// unusual shape is still the reason.
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

// looseText is the text of a string, nothing for null or an absent value, and
// the JSON itself of anything else.
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
