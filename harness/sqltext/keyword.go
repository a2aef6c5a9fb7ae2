package sqltext

import "strings"

// keyword is a word of the grammar. The zero keyword is any word that is not relevant here. It is
// a number so that the tokens of a long text are small and contain no pointers.
type keyword uint8

// use says where a keyword may also be a name.
type use byte

const (
	freeName   use = iota // a name wherever the grammar does not require the keyword
	columnName            // a name, but not an alias written without AS
	reserved              // never a name
)

var vocabulary = [...]string{
	freeName: `ANALYZE BEGIN BY CASCADE CONFLICT DO END EXPLAIN IF NAMESPACE PLAN PRAGMA QUERY REINDEX RENAME RESTRICT TEMP
		TEMPORARY TRIGGER VIEW VIRTUAL WINDOW WITH`,
	columnName: `CROSS FULL INDEXED INNER LEFT NATURAL OUTER RIGHT`,
	reserved: `ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE
		DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL
		JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION
		UNION UNIQUE UPDATE USING VALUES WHEN WHERE`,
}

var (
	spellings = []string{""} // by keyword
	uses      = []use{freeName}
	keywords  = func() map[string]keyword {
		all := map[string]keyword{}
		for u, words := range vocabulary {
			for _, upper := range strings.Fields(words) {
				all[upper] = keyword(len(spellings))
				spellings, uses = append(spellings, upper), append(uses, use(u))
			}
		}
		return all
	}()
)

// upper returns the keyword in upper case, or "" for the zero keyword.
func (k keyword) upper() string { return spellings[k] }

func (k keyword) use() use { return uses[k] }

func keywordOf(word string) keyword {
	var upper [16]byte
	if len(word) == 1 || len(word) > len(upper) {
		return 0
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
