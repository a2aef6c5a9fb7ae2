package check

import "errors"

// The rules, in the order in which a report shows them.
var (
	oneLeaderRule            = Rule{"one leader a term", "No two nodes lead in one term.", plain(judgeOneLeader)}
	convergedRule            = Rule{"converged", "All nodes come to hold the same bytes.", plain(judgeConverged)}
	strictlySerializableRule = Rule{"strictly serializable", "Transactions have an order that explains what they read and fits real time.", plain(func(h history) error { return serializable(h, true) })}
	serializableRule         = Rule{"serializable", "Transactions have an order that explains what they read.", plain(func(h history) error { return serializable(h, false) })}
)

// plain is a rule that stops at its first violation.
func plain(judge func(history) error) func(history, *Verdict) {
	return func(h history, v *Verdict) {
		err := judge(h)
		found, is := errors.AsType[*Violation](err)
		switch {
		case errors.Is(err, ErrNothing):
			return
		case is:
			v.violate(found)
		case errors.Is(err, ErrUndecided):
			v.undecided("%v", err)
		case err != nil:
			v.refuse(err)
		}
		v.Judged = 1
	}
}
