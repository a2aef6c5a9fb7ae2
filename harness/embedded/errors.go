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
	CodeBadRequest   = "BAD_REQUEST"         // 400: malformed request
	CodeSQL          = "SQL_ERROR"           // 400: error of SQLite
	CodeParams       = "PARAM_COUNT"         // 400: too many or too few parameters
	CodeRefused      = "REFUSED"             // 400: statement that this database does not accept
	CodeTooCostly    = "TOO_COSTLY"          // 400: exceeds the limits of steps, memory or time; nothing was changed
	CodeNamespace    = "NAMESPACE_NOT_FOUND" // 400
	CodeUnauthorized = "UNAUTHORIZED"        // 401
	CodeForbidden    = "FORBIDDEN"           // 403: web page of another origin, or a client that uses headers of nodes
	CodeNotFound     = "NOT_FOUND"           // 404: no such path
	CodeMethod       = "METHOD_NOT_ALLOWED"  // 405
	CodeTooLarge     = "BODY_TOO_LARGE"      // 413
	CodeMediaType    = "UNSUPPORTED_MEDIA"   // 415: the body is not application/json, or is compressed
	CodeMisdirected  = "MISDIRECTED"         // 421: the Host header names another host
	CodeKeyReused    = "KEY_REUSED"          // 422: another request with this key was applied; this one changed nothing
	CodeVersion      = "HTTP_VERSION"        // 505: HTTP/2
	CodeNoLeader     = "NO_LEADER"           // 503: no leader, or it is unreachable; nothing was changed
	CodeNotLeader    = "NOT_LEADER"          // 503: a request was forwarded to a node that is not the leader
	CodeNoQuorum     = "NO_QUORUM"           // 503: no quorum confirmed the change in time
	CodeTimeout      = "TIMEOUT"             // 503: the read was not served in time
	CodeFailed       = "NODE_FAILED"         // 503: this node's storage has failed
	CodeReplaying    = "REPLAYING"           // 503: this node has started and is replaying its log
	CodeWrongCluster = "WRONG_CLUSTER"       // 503: the members that were met are of another cluster; 421: the forwarding node is
	CodeStopping     = "STOPPING"            // 503: this node is stopping; nothing was changed
	CodeAnswerGone   = "ANSWER_GONE"         // 503: the change was applied before, but its answer was not kept
	CodeBehind       = "APPLIED_ELSEWHERE"   // 503: the leader applied the change, but this node has not yet
	CodeMembers      = "MEMBERS_REFUSED"     // 409: not possible with the current members
	CodeMembersLater = "MEMBERS_NOT_NOW"     // 503: not possible at the moment
)

// Temporary returns whether the request may succeed when it is sent again, to this node or another,
// after an answer with that code.
func Temporary(code string) bool {
	switch code {
	case CodeNoLeader, CodeNotLeader, CodeNoQuorum, CodeTimeout, CodeReplaying, CodeFailed, CodeStopping, CodeBehind,
		CodeMembersLater, CodeWrongCluster:
		return true
	}
	return false
}

// The outcome of a request that changes data and was answered with an error. An error without an
// outcome changed nothing.
const (
	OutcomeUnknown = wire.OutcomeUnknown // it may still be applied
	OutcomeApplied = "applied"           // it was applied
)

// ErrClosed is wrapped by the errors of a node that is stopping or closed.
var ErrClosed = machine.ErrClosed

// answer is an error with its HTTP status.
type answer struct {
	status int
	body   *wire.Error
}

func (a *answer) Error() string { return a.body.Error() }
func (a *answer) Unwrap() error { return a.body }

// Is makes answers with CodeStopping match ErrClosed.
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

// explain returns the answer to an error of the database.
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
	case errors.Is(err, context.Canceled): // by the node: a client that cancelled does not read this
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
