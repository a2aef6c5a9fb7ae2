package target

import "fmt"

// Promise is what users expect of every replicated SQL database. A Cluster makes all promises, unless its Claimer says
// that its makers document one as not made.
type Promise string

// The promises.
const (
	// Durability is about the loss of less than half of the nodes: crashes, freezes, partitions.
	Durability Promise = "an acknowledged change survives the loss of a minority of the nodes"
	// CrashDurability is about a crash of all nodes, whose disks keep what was synced.
	CrashDurability Promise = "an acknowledged change survives a crash of all nodes"
	// Recency is the real-time order of Strong and Leader reads.
	Recency Promise = "a strong read shows every change that was acknowledged before it began"
	// Convergence is about replicas without a fault.
	Convergence Promise = "nodes that have applied the same changes hold the same rows"
	// OneWriter forbids a split brain.
	OneWriter Promise = "two nodes that do not reach each other never both acknowledge changes"
	// AppliedOnce is about a request that a client sends once.
	AppliedOnce Promise = "a request that is sent once is applied at most once"
	// Atomicity is about requests of several statements.
	Atomicity Promise = "a request is applied as a whole or not at all"
)

// Promises returns all promises, in the order of their documentation.
func Promises() []Promise {
	return []Promise{Durability, CrashDurability, Recency, Convergence, OneWriter, AppliedOnce, Atomicity}
}

// Claim is what the makers of a database say about a promise, in the setting in which the cluster runs.
type Claim struct {
	Promise Promise
	// Made is false if the makers document that the promise is not made.
	Made bool
	// Source is where they say so: a title and a section, or an address.
	Source string
}

func (c Claim) String() string {
	verb := "claims"
	if !c.Made {
		verb = "does not claim"
	}
	return fmt.Sprintf("the database %s that %s (%s)", verb, c.Promise, c.Source)
}

// Claimer is a Cluster that knows what the makers of its database claim. What they document as not promised is expected: a
// spec that shows it is counted apart, and does not fail the run.
type Claimer interface {
	// Claims returns at most one claim for each promise. A promise without a claim is taken as made. It is always the
	// same list, and does not block.
	Claims() []Claim
}

// Claims returns the claims of the cluster, or of the one that it decorates.
func Claims(c Cluster) []Claim {
	claimer, claims := As[Claimer](c)
	if !claims {
		return nil
	}
	return claimer.Claims()
}

// Disclaimed returns the claim that a promise is not made, if there is one.
func Disclaimed(c Cluster, p Promise) (Claim, bool) {
	for _, claim := range Claims(c) {
		if claim.Promise == p {
			return claim, !claim.Made
		}
	}
	return Claim{}, false
}
