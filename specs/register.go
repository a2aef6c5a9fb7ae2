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

// patience bounds every spec, in real time.
const patience = SpecTimeout(60 * time.Second)

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
		basics(w)
		values(w)
		namespaces(w)
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
	})
	for _, size := range []int{1, 5, 7} {
		sized := &world{options: options}
		sized.options.Nodes = size
		Describe("A replicated SQL database of another size", options.Decorators, func() {
			BeforeEach(sized.begin)
			sizes(sized, size)
		})
	}
	slow := &world{options: options}
	if pacer, can := options.Target.(target.Pacer); can {
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
	Describe("A replicated SQL database in no hurry", options.Decorators, func() {
		BeforeEach(slow.begin)
		timely(slow)
	})
}
