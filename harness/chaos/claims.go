package chaos

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/target"
)

// What rules rely on. A history in which an acknowledged change is lost, or in which two nodes take changes, breaks all of them.
var (
	kept   = []target.Promise{target.Durability, target.CrashDurability, target.OneWriter, target.AppliedOnce}
	whole  = append(slices.Clone(kept), target.Atomicity)
	recent = append(slices.Clone(whole), target.Recency)

	// relies has the promises without which a rule of check may be broken. A rule that is not in it holds on every database.
	relies = map[string][]target.Promise{
		"converged":             {target.Convergence, target.OneWriter, target.Durability, target.CrashDurability},
		"durable":               kept,
		"unique":                kept,
		"counter":               whole,
		"bank":                  recent,
		"linearizable":          recent,
		"strictly serializable": recent,
		"monotonic reads":       recent,
		"read your writes":      recent,
		"monotonic writes":      recent,
		"writes follow reads":   recent,
	}
)

// assumes has the assumption without which a rule is not judged. Clients of chaos read the own state of the node that they ask.
var assumes = map[string]target.Assumption{"read your writes": target.OwnWrites}

// unclaimed splits an error of a judge or of VerifyInvariants: the rest is what breaks a promise, and expected are the sentences
// which say that what was seen may be seen: claims, and the assumptions that do not hold.
func unclaimed(claims []target.Claim, holds func(target.Assumption) bool, err error) (expected []string, rest error) {
	rule, invariant := (*check.RuleError)(nil), (*harness.InvariantError)(nil)
	switch joined, is := err.(interface{ Unwrap() []error }); {
	case is:
		var parts []error
		for _, part := range joined.Unwrap() {
			why, part := unclaimed(claims, holds, part)
			parts, expected = append(parts, part), append(expected, why...)
		}
		return expected, errors.Join(parts...)
	case errors.As(err, &rule) && errors.As(err, new(*check.Violation)):
		if assumption, has := assumes[rule.Rule]; has && !holds(assumption) {
			return []string{fmt.Sprintf("the target does not declare that %s", assumption)}, nil
		}
		return disclaimed(claims, err, relies[rule.Rule]...)
	case errors.As(err, &invariant):
		return disclaimed(claims, err, invariant.Promise)
	}
	return nil, err
}

// disclaimed is the error, or the claim that one of the promises which it breaks is not made.
func disclaimed(claims []target.Claim, err error, promises ...target.Promise) (expected []string, rest error) {
	i := slices.IndexFunc(claims, func(c target.Claim) bool { return !c.Made && slices.Contains(promises, c.Promise) })
	if i < 0 {
		return nil, err
	}
	return []string{claims[i].String()}, nil
}

// expect is the error without what is expected, which it keeps for the outcome.
func (p *play) expect(err error) error {
	expected, rest := unclaimed(p.cluster.Claims(), p.cluster.Holds, err)
	for _, text := range expected {
		if !slices.Contains(p.expected, text) {
			p.expected = append(p.expected, text)
		}
	}
	return rest
}
