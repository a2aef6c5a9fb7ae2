package sqltext

// Ordered tells whether the query has an ORDER BY of its own, outside all parentheses: whether the
// order of its rows is part of its answer.
func Ordered(query string) bool {
	depth, order := 0, false
	for i := 0; i < len(query); {
		k, end := scan(query, i)
		switch k {
		case space:
			i = end
			continue
		case opening:
			depth++
		case closing:
			depth--
		case word:
			w := keywordOf(query[i:end]).upper()
			if order && w == "BY" {
				return true
			}
			order = depth == 0 && w == "ORDER"
			i = end
			continue
		}
		order = false
		i = end
	}
	return false
}
