package sqltext

// Ordered returns whether the query has an ORDER BY outside all parentheses, so that the order of
// its rows is significant.
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
