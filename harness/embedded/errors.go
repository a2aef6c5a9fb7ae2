package embedded

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// The codes of error answers.
const (
	CodeBadRequest   = "BAD_REQUEST"         // 400: not a request of this endpoint
	CodeSQL          = "SQL_ERROR"           // 400: SQLite's words
	CodeParams       = "PARAM_COUNT"         // 400: too many or too few parameters
	CodeRefused      = "REFUSED"             // 400: a statement this database does not take, and why
	CodeTooCostly    = "TOO_COSTLY"          // 400: it takes more steps, memory or time than a request may; nothing was changed
	CodeNamespace    = "NAMESPACE_NOT_FOUND" // 400
	CodeUnauthorized = "UNAUTHORIZED"        // 401
	CodeForbidden    = "FORBIDDEN"           // 403: a web page of another origin asks, or a client that says it is a node
	CodeNotFound     = "NOT_FOUND"           // 404: no such path
	CodeMethod       = "METHOD_NOT_ALLOWED"  // 405
	CodeTooLarge     = "BODY_TOO_LARGE"      // 413
	CodeMediaType    = "UNSUPPORTED_MEDIA"   // 415: the body is not application/json, or compressed
	CodeMisdirected  = "MISDIRECTED"         // 421: header Host names another host
	CodeKeyReused    = "KEY_REUSED"          // 422: the key names another request, which was applied; this one changed nothing
	CodeVersion      = "HTTP_VERSION"        // 505: HTTP/2
	CodeNoLeader     = "NO_LEADER"           // 503: no node leads, or the leader cannot be reached; nothing was changed
	CodeNotLeader    = "NOT_LEADER"          // 503: a forwarded request met a node that does not lead
	CodeNoQuorum     = "NO_QUORUM"           // 503: a leader was lost before it confirmed the change
	CodeTimeout      = "TIMEOUT"             // 503: a read could not be served in time
	CodeFailed       = "NODE_FAILED"         // 503: this node's own storage has failed
	CodeReplaying    = "REPLAYING"           // 503: this node has started, and does not have again yet what it had
	CodeWrongCluster = "WRONG_CLUSTER"       // 503: this node is of another cluster than the members it met; 421: the forwarding node is
	CodeStopping     = "STOPPING"            // 503: this node is leaving; nothing was changed
	CodeAnswerGone   = "ANSWER_GONE"         // 503: a change sent again was applied before; its answer is not kept
	CodeBehind       = "APPLIED_ELSEWHERE"   // 503: the change is applied, but this node has not caught up with it
	CodeMembers      = "MEMBERS_REFUSED"     // 409: the members there are do not allow this change of them, and why
	CodeMembersLater = "MEMBERS_NOT_NOW"     // 503: the members cannot be changed like that as things stand, and why
)

// Temporary tells whether an answer with that code may be another one when the
// request is sent again, to this node or to another.
func Temporary(code string) bool {
	switch code {
	case CodeNoLeader, CodeNotLeader, CodeNoQuorum, CodeTimeout, CodeReplaying, CodeFailed, CodeStopping, CodeBehind,
		CodeMembersLater, CodeWrongCluster:
		return true
	}
	return false
}

// What became of a request that changes data and was answered by an error.
// An error without an outcome changed nothing.
const (
	OutcomeUnknown = wire.OutcomeUnknown // it may still be applied
	OutcomeApplied = "applied"           // it was applied
)

// ErrClosed is wrapped by the errors of a node that is leaving, or closed.
var ErrClosed = machine.ErrClosed

// answer is an error together with the HTTP status it is sent with.
type answer struct {
	status int
	body   *wire.Error
}

func (a *answer) Error() string { return a.body.Error() }
func (a *answer) Unwrap() error { return a.body }

// Is tells whether the answer is that of a node that is leaving, for errors.Is.
func (a *answer) Is(err error) bool { return err == ErrClosed && a.body.Code == CodeStopping }

func refuse(status int, code, format string, args ...any) *answer {
	return &answer{status: status, body: &wire.Error{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func unavailable(code, format string, args ...any) *answer {
	return refuse(http.StatusServiceUnavailable, code, format, args...)
}

func (a *answer) withOutcome(outcome string) *answer {
	a.body.Outcome = outcome
	return a
}

// explain finds the answer to an error of the database.
func explain(err error) *answer {
	var known *answer
	var applied *machine.AppliedError
	var failed *machine.FailedError
	var reused *machine.ReusedError
	var params *sqlite.ParamCountError
	var namespace *sqltext.UnknownNamespaceError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &applied):
		return unavailable(CodeAnswerGone, "%v", err).withOutcome(OutcomeApplied)
	case errors.As(err, &reused):
		return refuse(http.StatusUnprocessableEntity, CodeKeyReused, "%v", err)
	case errors.As(err, &failed):
		return unavailable(CodeFailed, "%v", err)
	case errors.Is(err, sqlite.ErrBudget), errors.Is(err, sqlite.ErrMemory), errors.Is(err, sqlite.ErrTooLarge),
		errors.Is(err, machine.ErrAnswer), sqlite.TooBig(err):
		return refuse(http.StatusBadRequest, CodeTooCostly, "%v", err)
	case errors.Is(err, machine.ErrCrowded):
		return unavailable(CodeTimeout, "%v", err)
	case errors.Is(err, machine.ErrSkipped):
		return refuse(http.StatusBadRequest, CodeRefused, "%v", err)
	case errors.Is(err, machine.ErrClosed):
		return unavailable(CodeStopping, "this node is leaving")
	case errors.Is(err, context.DeadlineExceeded):
		return unavailable(CodeTimeout, "%v", err)
	case errors.Is(err, context.Canceled): // by the node: a client that has gone does not read this
		return unavailable(CodeStopping, "this node is leaving")
	case errors.As(err, &params):
		return refuse(http.StatusBadRequest, CodeParams, "%v", err)
	case errors.As(err, &namespace):
		return refuse(http.StatusBadRequest, CodeNamespace, "%v", err)
	case errors.Is(err, sqlite.ErrRefused):
		return refuse(http.StatusBadRequest, CodeRefused, "%v", err)
	}
	return refuse(http.StatusBadRequest, CodeSQL, "%v", err)
}
