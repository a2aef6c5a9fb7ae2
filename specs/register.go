package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options describe the target, and configure the specs.
type Options struct {
	// Target makes the clusters. It must be given.
	Target target.Target
	// Nodes is the size of a cluster; default 3. Specs that need more nodes skip themselves
	// with a sentence.
	Nodes int
	// Pace is how fast the target's nodes are. The zero Pace is that of the embedded
	// database at its usual election timeout.
	Pace Pace
	// Limits are the limits of requests on the target's nodes. Specs about a limit that is 0
	// skip themselves.
	Limits Limits
	// Cluster are additional options of every cluster.
	Cluster []harness.Option
	// Decorators are Ginkgo decorators of every top-level container, such as virtual.Bubble() for
	// a virtual target.
	Decorators []any
}

// Limits are the resources that a request may use at most.
type Limits struct {
	Steps, ReadSteps   int64         // of SQLite's virtual machine, in a change and in a read
	Memory, ReadMemory int64         // bytes that a change, and a read, may hold at once
	Answer             int64         // bytes in the rows of a change
	Value              int64         // bytes of one value
	Body               int64         // bytes of a request
	Readers            int           // concurrent reads
	Request            time.Duration // for a client to send a request, and to read a chunk of its answer
	Read               time.Duration // for a read, to the end of its answer
	Idle               time.Duration // for a connection without a request
}

// longest are the specs that take longest. They start first, so that parallel processes end at
// about the same time.
const longest = SpecPriority(1)

// Register declares the specs. Call it once, before Suite.Run or RunSpecs.
func Register(options Options) {
	if options.Nodes == 0 {
		options.Nodes = 3
	}
	options.Pace = options.Pace.withDefaults()
	env := newEnvironment(options)
	Describe("A replicated SQL database", options.Decorators, func() {
		BeforeEach(env.begin)
		story(env)
		comparing(env)
		promises(env)
		diverging(env)
		directions(env)
		flags(env)
		judging()
		leaks(env)
		basics(env)
		addresses(env)
		values(env)
		answers(env)
		answersValues(env)
		answersAltered(env)
		namespaces(env)
		names(env)
		recovery(env)
		largeRows(env)
		changes(env)
		allOffline(env)
		skip(env)
		minority(env)
		cascade(env)
		snapshot(env)
		concurrency(env)
		links(env)
		packets(env)
		crash(env)
		snapshotCrash(env)
		restored(env)
		restoredMembers(env)
		rolling(env)
		upgrades(env)
		modes(env)
		frozen(env)
		disks(env)
		identities(env)
		lostLog(env)
		clocks(env)
		away(env)
		isolationLevels(env)
		health(env)
		keys(env)
		together(env)
		members(env)
		pressure(env)
		reads(env)
		fresh(env)
		failing(env)
		leaving(env)
		histories(env)
		availability(env)
		misuse(env)
		hostileStatements(env)
		tokens(env)
		strangers(env)
		sums(env)
		nonVoters(env)
		removed(env)
		moved(env)
		limitsOfRequests(env)
		replication(env)
	})
	for _, size := range []int{1, 5, 7} {
		sized := newEnvironment(options)
		sized.options.Nodes = size
		Describe("A replicated SQL database of another size", options.Decorators, func() {
			BeforeEach(sized.begin)
			sizes(sized, size)
			if size == 5 {
				rings(sized)
			}
		})
	}
	single := newEnvironment(options)
	single.options.Nodes = 1
	Describe("A replicated SQL database that grows from one node", options.Decorators, func() {
		BeforeEach(single.begin)
		quorums(single)
		loggedBytes(single)
	})
	slow, calm := newEnvironment(options), newEnvironment(options)
	if pacer, can := options.Target.(target.Pacer); can {
		calm.slowDown(pacer, calmPace)
		slow.slowDown(pacer, electionTimeout)
	}
	if pacer, can := options.Target.(target.Pacer); can {
		many := newEnvironment(options)
		many.slowDown(pacer, manyPace)
		many.options.Nodes = manyNodes
		Describe("A replicated SQL database of 101 nodes", options.Decorators, func() {
			BeforeEach(many.begin)
			hundred(many)
		})
	}
	Describe("A replicated SQL database with slow clients", options.Decorators, func() {
		BeforeEach(calm.begin)
		slowClients(calm)
	})
	Describe("A replicated SQL database with a long election timeout", options.Decorators, func() {
		BeforeEach(slow.begin)
		timely(slow)
		inNoHurry(slow)
	})
}
