package fault

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Clients is the end of a link at which the clients are. Every other end is the index of a node.
const Clients = -1

// Link is a directed link: from one node to another, or from or to Clients.
type Link struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Back returns the link in the other direction.
func (l Link) Back() Link { return Link{From: l.To, To: l.From} }

// String is the link as an arrow, such as "0->clients".
func (l Link) String() string { return end(l.From) + "->" + end(l.To) }

// Compare orders links by their first end, and then by their second.
func (l Link) Compare(m Link) int {
	return cmp.Or(cmp.Compare(l.From, m.From), cmp.Compare(l.To, m.To))
}

// LinkWords describes links in one line: the first 12 of them, and how many more there are.
func LinkWords(links []Link) string {
	const most = 12
	var words []string
	for _, l := range links[:min(len(links), most)] {
		words = append(words, l.String())
	}
	if len(links) > most {
		words = append(words, fmt.Sprintf("and %d more", len(links)-most))
	}
	return strings.Join(words, " ")
}

func end(node int) string {
	if node == Clients {
		return "clients"
	}
	return strconv.Itoa(node)
}
