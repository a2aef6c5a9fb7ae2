package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are what the suite needs to know.
type Options struct {
	// Target makes the clusters. It must be given.
	Target target.Target
	// Nodes is the size of a cluster; 3 if 0. Specs that need more nodes than
	// there are skip themselves with a sentence.
	Nodes int
	// Limits are what the target's nodes let a request take. Specs about a limit that is 0
	// skip themselves.
	Limits Limits
	// Journals says whose journals are written to files; none if it is zero.
	Journals Journals
	// Cluster are further options of every cluster that is booted.
	Cluster []harness.Option
	// Again returns the command that runs a spec again, for the report of its failure; none
	// if nil, or if it returns "". It is given Ginkgo's seed, the spec's full text, and the
	// file with its journal, or "" if that was not written.
	Again func(seed int64, text, journal string) string
	// Decorators are for the container that all specs are in, such as
	// virtual.Bubble() for a target that lives in virtual time.
	Decorators []any
}

// Limits are what a node lets a request take at most.
type Limits struct {
	Steps, ReadSteps   int64         // of SQLite's virtual machine, in a change and in a read
	Memory, ReadMemory int64         // bytes that a change, and a read, may hold at once
	Answer             int64         // bytes in the rows of a change
	Value              int64         // bytes of one value
	Body               int64         // bytes of a request
	Readers            int           // reads that are served at once
	Request            time.Duration // for a client to send a request, and to take in a piece of its answer
	Read               time.Duration // for a read, to the end of its answer
	Idle               time.Duration // for a connection that nothing is asked on
}

// patience bounds every spec, in real time.
const patience = SpecTimeout(60 * time.Second)

// longest are the specs that take longest. They begin first, so that none of several
// processes is left alone with one.
const longest = SpecPriority(1)

// Register declares the specs. Call it once, before RunSpecs.
func Register(options Options) {
	if options.Nodes == 0 {
		options.Nodes = 3
	}
	ReportAfterEach(options.again)
	w := &world{options: options}
	Describe("A replicated SQL database", options.Decorators, func() {
		BeforeEach(w.begin)
		story(w)
		comparing(w)
		promises(w)
		diverging(w)
		directions(w)
		flags(w)
		judging(w)
		leaks(w)
		basics(w)
		values(w)
		answers(w)
		answersValues(w)
		answersAltered(w)
		namespaces(w)
		names(w)
		recovery(w)
		largeRows(w)
		changes(w)
		allOffline(w)
		skip(w)
		minority(w)
		cascade(w)
		snapshot(w)
		concurrency(w)
		ways(w)
		crash(w)
		snapshotCrash(w)
		restored(w)
		restoredMembers(w)
		rolling(w)
		links(w)
		frozen(w)
		disks(w)
		identities(w)
		lostLog(w)
		clocks(w)
		health(w)
		keys(w)
		together(w)
		members(w)
		pressure(w)
		reads(w)
		fresh(w)
		failing(w)
		leaving(w)
		histories(w)
		availability(w)
		misuse(w)
		hostileStatements(w)
		tokens(w)
		strangers(w)
		sums(w)
		nonVoters(w)
		removed(w)
		moved(w)
		limitsOfRequests(w)
		replication(w)
	})
	for _, size := range []int{1, 5, 7} {
		sized := &world{options: options}
		sized.options.Nodes = size
		Describe("A replicated SQL database of another size", options.Decorators, func() {
			BeforeEach(sized.begin)
			sizes(sized, size)
			if size == 5 {
				rings(sized)
			}
		})
	}
	single := &world{options: options}
	single.options.Nodes = 1
	Describe("A replicated SQL database that grows from one node", options.Decorators, func() {
		BeforeEach(single.begin)
		quorums(single)
		loggedBytes(single)
	})
	slow, calm := &world{options: options}, &world{options: options}
	if pacer, can := options.Target.(target.Pacer); can {
		calm.options.Target = pacer.AtPace(calmPace)
		slow.options.Target = pacer.AtPace(electionTimeout)
	}
	if pacer, can := options.Target.(target.Pacer); can {
		many := &world{options: options}
		many.options.Target, many.options.Nodes = pacer.AtPace(manyPace), manyNodes
		Describe("A replicated SQL database of a size that nobody runs", options.Decorators, func() {
			BeforeEach(many.begin)
			hundred(many)
		})
	}
	Describe("A replicated SQL database with slow clients", options.Decorators, func() {
		BeforeEach(calm.begin)
		slowClients(calm)
	})
	Describe("A replicated SQL database in no hurry", options.Decorators, func() {
		BeforeEach(slow.begin)
		timely(slow)
		unhurried(slow)
	})
}
