package network

// Link is a directed link between two hosts, by their names.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}
