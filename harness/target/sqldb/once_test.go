package sqldb_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// claimed is a table of requests in which another one has claimed the ID, so many times.
type claimed struct {
	times  int
	answer *sqldb.Answer
	kept   *sqldb.Answer
}

func (c *claimed) Recall(context.Context, sqldb.Tx, target.Request) (*sqldb.Answer, error) {
	if c.times--; c.times >= 0 {
		return nil, &target.Error{Kind: target.ErrConstraint}
	}
	return c.answer, nil
}

func (c *claimed) Keep(_ context.Context, _ sqldb.Tx, _ target.Request, answer *sqldb.Answer) error {
	c.kept = answer
	return nil
}

var _ = Describe("A request whose ID another one claims at once", func() {
	request := target.Request{SQL: "INSERT INTO t VALUES (1)", ID: "a"}
	var l *liar

	send := func(ctx context.Context, once *claimed) (*sqldb.Answer, error) {
		return sqldb.Whole(lying(l, func(o *sqldb.Options) { o.Once = once }).Query(ctx, request))
	}

	BeforeEach(func() {
		noLeaks()
		l = &liar{}
	})

	It("is begun again, and has the answer of the other one", func(ctx SpecContext) {
		answer, err := send(ctx, &claimed{times: 1, answer: &sqldb.Answer{Results: []sqldb.Result{{Affected: 7, Counted: true}}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Results).To(HaveExactElements(HaveField("Affected", int64(7))))
		Expect(l.said("BEGIN")).To(HaveLen(2))
		Expect(l.said("INSERT")).To(BeEmpty())
	})

	It("is applied if the other one was not, and keeps its answer", func(ctx SpecContext) {
		once := &claimed{times: 1}
		Expect(send(ctx, once)).Error().NotTo(HaveOccurred())
		Expect(l.said("INSERT")).To(HaveLen(1))
		Expect(once.kept.Results).To(HaveExactElements(HaveField("Affected", int64(1))))
	})

	It("has an unknown outcome if that happens again", func(ctx SpecContext) {
		_, err := send(ctx, &claimed{times: 2})
		Expect(err).To(MatchError(target.ErrConstraint))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
		Expect(l.said("BEGIN")).To(HaveLen(2))
	})
})
