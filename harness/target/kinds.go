package target

import "errors"

// The kinds of errors. A target sets Error.Kind to one of them where one fits, so that a
// caller of any database can test for it with errors.Is. Error.Code stays the database's
// own. A kind says why a request failed, and never what became of it: for that there is
// Error.Outcome.
var (
	// ErrNoLeader: the node knows of no leader, or it led and does not lead any longer.
	ErrNoLeader = errors.New("there is no leader")
	// ErrNoQuorum: the leader lost its quorum, or its leadership, before it confirmed the
	// request.
	ErrNoQuorum = errors.New("there is no quorum")
	// ErrUnreachable: the request or its answer was lost between the client and the node.
	ErrUnreachable = errors.New("the node is unreachable")
	// ErrStopping: the node is shutting down and takes no new requests.
	ErrStopping = errors.New("the node is stopping")
	// ErrReplaying: the node has started and has not applied again what it had applied
	// before.
	ErrReplaying = errors.New("the node replays its log")
	// ErrFailed: the storage of the node has failed. The node must be replaced.
	ErrFailed = errors.New("the storage of the node has failed")
	// ErrTimeout: the node gave up. The same request may succeed later.
	ErrTimeout = errors.New("the node took too long")
	// ErrConflict: the database aborted the transaction because of another one. All of it may
	// succeed if it is begun again.
	ErrConflict = errors.New("another transaction conflicts")
	// ErrBadRequest: the request is malformed, apart from its SQL.
	ErrBadRequest = errors.New("the request is malformed")
	// ErrUnauthorized: the client did not prove that it may ask.
	ErrUnauthorized = errors.New("the client is not authorized")
	// ErrMembership: the change of the members is not possible.
	ErrMembership = errors.New("the change of the members is refused")
	// ErrKeyReused: Request.ID names another request, which was applied.
	ErrKeyReused = errors.New("the ID names another request")
	// ErrAnswerGone: the request was applied before, and its answer is not kept.
	ErrAnswerGone = errors.New("the answer is not kept")
)

// The kinds of errors of a statement. The same statement fails again.
var (
	// ErrSyntax: the statement is not SQL, or is incomplete.
	ErrSyntax = errors.New("the statement is not valid SQL")
	// ErrParams: too few or too many parameters.
	ErrParams = errors.New("the number of parameters is wrong")
	// ErrNoSuchTable: the statement names a table, view or column that does not exist.
	ErrNoSuchTable = errors.New("there is no such table")
	// ErrNoSuchNamespace: the statement names a namespace that does not exist.
	ErrNoSuchNamespace = errors.New("there is no such namespace")
	// ErrExists: the statement creates what exists.
	ErrExists = errors.New("it already exists")
	// ErrConstraint: a UNIQUE, NOT NULL, CHECK or FOREIGN KEY constraint failed.
	ErrConstraint = errors.New("a constraint failed")
	// ErrRefused: the database does not allow the statement.
	ErrRefused = errors.New("the statement is refused")
	// ErrTooCostly: the statement takes more steps, memory or time than a request may, or its
	// answer or one of its values is too large.
	ErrTooCostly = errors.New("the statement takes too much")
	// ErrNoWords: the database has no words for the statement: a dialect.UnsupportedError. It was not sent.
	ErrNoWords = errors.New("the database has no words for the statement")
	// ErrTooLarge: the request has more bytes than a request may.
	ErrTooLarge = errors.New("the request is too large")
)

// Kinds returns all kinds of errors, in the order of their documentation.
func Kinds() []error {
	return []error{
		ErrNoLeader, ErrNoQuorum, ErrUnreachable, ErrStopping, ErrReplaying, ErrFailed, ErrTimeout, ErrConflict,
		ErrBadRequest, ErrUnauthorized, ErrMembership, ErrKeyReused, ErrAnswerGone,
		ErrSyntax, ErrParams, ErrNoSuchTable, ErrNoSuchNamespace, ErrExists, ErrConstraint, ErrRefused, ErrNoWords,
		ErrTooCostly, ErrTooLarge,
	}
}

// KindOf returns the first of Kinds that err is, by errors.Is; nil if it is none.
func KindOf(err error) error {
	for _, kind := range Kinds() {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}
