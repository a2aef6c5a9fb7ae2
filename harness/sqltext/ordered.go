package sqltext

// Ordered returns whether the query has an ORDER BY outside all parentheses, so that the order of
// its rows is significant.
func Ordered(query string) bool {
	depth, order := 0, false
	for i := 0; i < len(query); {
		k, end := scan(query, i)
		switch k {
		case space:
		case opening:
			depth, order = depth+1, false
		case closing:
			depth, order = depth-1, false
		case word:
			w := keywordOf(query[i:end]).upper()
			if order && w == "BY" {
				return true
			}
			order = depth == 0 && w == "ORDER"
		default:
			order = false
		}
		i = end
	}
	return false
}
