package sqltext_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = Describe("Tokens", func() {
	It("of a text have kinds, places and values", func() {
		tokens, err := sqltext.Tokens(`SELECT "a""b", 'c''d' /* no token */ , [e], ?1 = x'00'`)
		Expect(err).NotTo(HaveOccurred())
		var values []string
		var kinds []sqltext.TokenKind
		for _, t := range tokens {
			values, kinds = append(values, t.Value), append(kinds, t.Kind)
		}
		Expect(values).To(Equal([]string{"SELECT", `a"b`, "", "c'd", "", "e", "", "", "", ""}))
		Expect(kinds).To(Equal([]sqltext.TokenKind{
			sqltext.WordToken, sqltext.NameToken, sqltext.OtherToken, sqltext.TextToken, sqltext.OtherToken, sqltext.NameToken, sqltext.OtherToken,
			sqltext.ParameterToken, sqltext.OtherToken, sqltext.LiteralToken,
		}))
		Expect(tokens[1].From).To(Equal(len(`SELECT `)))
		Expect(tokens[1].To).To(Equal(len(`SELECT "a""b"`)))
		Expect(tokens[9].Text).To(Equal("x'00'"))
	})

	It("of text that is not SQL are an error", func() {
		Expect(sqltext.Tokens("SELECT 'a")).Error().To(MatchError("line 1, column 8: unterminated string"))
	})
})
