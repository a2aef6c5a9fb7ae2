package described

import (
	"maps"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Kinds returns the kinds of errors by name.
func Kinds() map[string]error {
	return map[string]error{
		"no-leader": target.ErrNoLeader, "no-quorum": target.ErrNoQuorum, "unreachable": target.ErrUnreachable,
		"stopping": target.ErrStopping, "replaying": target.ErrReplaying, "failed": target.ErrFailed, "timeout": target.ErrTimeout,
		"conflict": target.ErrConflict, "bad-request": target.ErrBadRequest, "unauthorized": target.ErrUnauthorized,
		"membership": target.ErrMembership, "key-reused": target.ErrKeyReused, "answer-gone": target.ErrAnswerGone,
		"syntax": target.ErrSyntax, "params": target.ErrParams, "no-such-table": target.ErrNoSuchTable,
		"no-such-namespace": target.ErrNoSuchNamespace, "exists": target.ErrExists, "constraint": target.ErrConstraint,
		"refused": target.ErrRefused, "no-words": target.ErrNoWords, "too-costly": target.ErrTooCostly, "too-large": target.ErrTooLarge,
	}
}

// Assumptions returns the assumptions by name: see their documentation in package target.
func Assumptions() map[string]target.Assumption {
	return map[string]target.Assumption{
		"sqlite": target.SQLite, "namespaces": target.Namespaces, "system-tables": target.SystemTables,
		"refuses-local": target.RefusesLocal, "same-everywhere": target.SameEverywhere, "holds-writes": target.HoldsWrites,
		"own-writes": target.OwnWrites, "ordered-keys": target.OrderedKeys, "keeps-answers": target.KeepsAnswers,
		"streams": target.Streams, "reads-alone": target.ReadsAlone, "steps-down": target.StepsDown,
		"shows-committed": target.ShowsCommitted, "shows-stored": target.ShowsStored, "any-quorum": target.AnyQuorum,
		"replaces-hung": target.ReplacesHung, "pre-vote": target.PreVote, "learners": target.Learners,
		"compacts": target.Compacts, "drains": target.Drains, "keeps-term": target.KeepsTerm,
		"fail-stop": target.FailStop, "http-api": target.HTTPAPI, "embedded-files": target.EmbeddedFiles,
	}
}

// Outcomes returns the outcomes by name.
func Outcomes() map[string]target.Outcome {
	return map[string]target.Outcome{"unknown": target.Unknown, "not-applied": target.NotApplied, "applied": target.Applied}
}

// Levels returns the consistencies by name.
func Levels() map[string]target.Consistency {
	return map[string]target.Consistency{
		"default": target.Default, "local": target.Local, "leader": target.Leader, "strong": target.Strong,
	}
}

// Dialects returns the names of dialects.
func Dialects() []string { return []string{"plain", "prefixes", "postgresql", "mysql", "mariadb"} }

// Orders returns how the nodes of a new cluster may start.
func Orders() []string { return []string{"together", "first-alone", "one-by-one"} }

// Signals returns the signals that may ask a program to stop.
func Signals() []string { return []string{"TERM", "INT", "QUIT", "HUP"} }

// Names returns the names of one of the maps of this package, in order.
func Names[V any](known map[string]V) []string { return slices.Sorted(maps.Keys(known)) }
