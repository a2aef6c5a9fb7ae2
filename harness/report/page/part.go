package page

// Part is something that the page shows about the whole run, above its list of specs: texts and a table.
type Part struct {
	Title string   `json:"title"`
	Texts []string `json:"texts,omitempty"`
	// Code is shown as it is, with a button that copies it.
	Code    string   `json:"code,omitempty"`
	Columns []string `json:"columns,omitempty"`
	Rows    [][]Cell `json:"rows,omitempty"`
}

// Cell is a cell of a table.
type Cell struct {
	Text string `json:"text"`
	// Is colours the cell: "ok", "failed", "unknown", "soft" or "" for none.
	Is string `json:"is,omitempty"`
	// Bar is a share, 0 to 1, that is drawn behind the text.
	Bar float64 `json:"bar,omitempty"`
}
