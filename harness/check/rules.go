package check

import "errors"

// The rules, in the order in which a report shows them.
var (
	oneLeaderRule            = Rule{"one leader a term", "No two nodes lead in one term.", plain(judgeOneLeader)}
	convergedRule            = Rule{"converged", "All nodes come to hold the same bytes.", plain(judgeConverged)}
	durableRule              = Rule{"durable", "What was acknowledged is there in the end, on every node, and what failed is not.", judgeDurable}
	linearizableRule         = Rule{"linearizable", "Each register looks as if each operation took effect at one instant between its beginning and its end.", judgeLinearizable}
	strictlySerializableRule = Rule{"strictly serializable", "Transactions have an order that explains what they read and fits real time.", plain(func(h history) error { return serializable(h, true) })}
	totalRule                = Rule{"bank", "Transfers keep the total, and no balance is negative.", judgeTotal}
	countedRule              = Rule{"counter", "A counter is the sum of what was added.", judgeCounted}
	onlyOnceRule             = Rule{"unique", "A value is taken at most once.", judgeOnlyOnce}
	monotonicRule            = Rule{"monotonic reads", "No client sees a state that is older than one it has seen.", plain(judgeMonotonic)}
	ownWritesRule            = Rule{"read your writes", "Every client sees what it has written.", plain(judgeOwnWrites)}
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
