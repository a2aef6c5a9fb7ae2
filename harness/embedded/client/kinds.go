package client

import (
	"strings"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/target"
)

// kinds maps the error codes of nodes to kinds. For SQLite's errors, which share one code, see
// kindOfSQL.
var kinds = map[string]error{
	CodeUnreachable:           target.ErrUnreachable,
	embedded.CodeNoLeader:     target.ErrNoLeader,
	embedded.CodeNotLeader:    target.ErrNoLeader,
	embedded.CodeNoQuorum:     target.ErrNoQuorum,
	embedded.CodeStopping:     target.ErrStopping,
	embedded.CodeReplaying:    target.ErrReplaying,
	embedded.CodeFailed:       target.ErrFailed,
	embedded.CodeTimeout:      target.ErrTimeout,
	embedded.CodeBehind:       target.ErrTimeout,
	embedded.CodeBadRequest:   target.ErrBadRequest,
	embedded.CodeMediaType:    target.ErrBadRequest,
	embedded.CodeMethod:       target.ErrBadRequest,
	embedded.CodeNotFound:     target.ErrBadRequest,
	embedded.CodeVersion:      target.ErrBadRequest,
	embedded.CodeUnauthorized: target.ErrUnauthorized,
	embedded.CodeForbidden:    target.ErrUnauthorized,
	embedded.CodeMisdirected:  target.ErrUnauthorized,
	embedded.CodeWrongCluster: target.ErrMembership,
	embedded.CodeMembers:      target.ErrMembership,
	embedded.CodeMembersLater: target.ErrMembership,
	embedded.CodeKeyReused:    target.ErrKeyReused,
	embedded.CodeAnswerGone:   target.ErrAnswerGone,
	embedded.CodeParams:       target.ErrParams,
	embedded.CodeNamespace:    target.ErrNoSuchNamespace,
	embedded.CodeRefused:      target.ErrRefused,
	embedded.CodeTooCostly:    target.ErrTooCostly,
	embedded.CodeTooLarge:     target.ErrTooLarge,
}

// kindOf returns the kind of a node's error; nil if it has none.
func kindOf(code, message string) error {
	if code == embedded.CodeSQL {
		return kindOfSQL(message)
	}
	return kinds[code]
}

// sqlKinds maps parts of SQLite's messages to kinds: the database reports only the message.
var sqlKinds = []struct {
	part string
	kind error
}{
	{"constraint failed", target.ErrConstraint},
	{"no such table", target.ErrNoSuchTable},
	{"no such column", target.ErrNoSuchTable},
	{"is not in namespace", target.ErrNoSuchTable},
	{"already exists", target.ErrExists},
	{"there is already", target.ErrExists},
	{"syntax error", target.ErrSyntax},
	{"incomplete input", target.ErrSyntax},
	{"unrecognized token", target.ErrSyntax},
}

func kindOfSQL(message string) error {
	for _, known := range sqlKinds {
		if strings.Contains(message, known.part) {
			return known.kind
		}
	}
	return nil
}

// works maps activities.
var works = map[embedded.Activity]target.Work{
	embedded.ReplayingLog:      target.ReplayingLog,
	embedded.TakingSnapshot:    target.TakingSnapshot,
	embedded.SendingSnapshot:   target.SendingSnapshot,
	embedded.ReceivingSnapshot: target.ReceivingSnapshot,
	embedded.RestoringSnapshot: target.InstallingSnapshot,
}

// activities converts the work of a node. It omits activities that this version does not know.
func activities(all []embedded.Work) (out target.Activities) {
	for _, one := range all {
		if work, known := works[one.Activity]; known {
			out = append(out, target.Activity{Work: work, Peer: one.To})
		}
	}
	return out
}
