package sqltext

import "strings"

// keyword is a word of the grammar in upper case, and what else it may be. Words this package does
// not mind are the zero keyword.
type keyword struct {
	upper string
	use   use
}

type use byte

const (
	freeName   use = iota // a name wherever the grammar does not ask for the keyword
	columnName            // a name, but not an alias written without AS
	reserved              // never a name
)

var keywords = func() map[string]keyword {
	all := map[string]keyword{}
	for use, words := range map[use]string{
		freeName: `BEGIN BY CASCADE CONFLICT END EXPLAIN GLOB IF LIKE MATCH NAMESPACE PLAN QUERY REGEXP
			ANALYZE DO REINDEX RENAME TEMP TEMPORARY TRIGGER VIEW VIRTUAL WINDOW WITH`,
		columnName: `CROSS FULL INDEXED INNER LEFT NATURAL OUTER RIGHT`,
		reserved: `ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE
			DEFAULT DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN
			INDEX INSERT INTERSECT INTO IS ISNULL JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY
			REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING VALUES WHEN
			WHERE`,
	} {
		for _, w := range strings.Fields(words) {
			all[w] = keyword{w, use}
		}
	}
	return all
}()

func keywordOf(word string) keyword {
	var upper [16]byte
	if len(word) > len(upper) {
		return keyword{}
	}
	for i := range len(word) {
		c := word[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	return keywords[string(upper[:len(word)])]
}
