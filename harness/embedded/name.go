package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

// name identifies a change so that it is applied once: a key chosen by the client, or a random ticket
// of the node that received the request.
type name struct {
	key    string
	ticket []byte
}

const (
	maxKey     = 128 // bytes
	ticketSize = 16  // bytes
)

// nameOf returns the name of the change in a request. Only nodes may send tickets.
func nameOf(r *http.Request, fromNode bool) (name, error) {
	keys, given := r.Header[HeaderRequest]
	_, ticketed := r.Header[headerTicket]
	switch {
	case ticketed && !fromNode:
		return name{}, refuse(http.StatusForbidden, CodeForbidden, "header %s is for nodes of the cluster", headerTicket)
	case ticketed && given:
		return name{}, refuse(http.StatusBadRequest, CodeBadRequest, "a request may have %s or %s, not both", HeaderRequest, headerTicket)
	case ticketed:
		ticket, err := hex.DecodeString(r.Header.Get(headerTicket))
		if err != nil || len(ticket) != ticketSize {
			return name{}, refuse(http.StatusBadRequest, CodeBadRequest, "header %s must be %d bytes in hexadecimal", headerTicket, ticketSize)
		}
		return name{ticket: ticket}, nil
	case given:
		return keyOf(keys)
	}
	return drawName(), nil
}

// keyOf returns the key of a client, if it is valid.
func keyOf(keys []string) (name, error) {
	switch key := keys[0]; {
	case len(keys) > 1:
		return name{}, refuse(http.StatusBadRequest, CodeBadRequest, "the request has %d headers %s: one is allowed", len(keys), HeaderRequest)
	case key == "":
		return name{}, refuse(http.StatusBadRequest, CodeBadRequest, "header %s is empty: leave it out, or give the request a key",
			HeaderRequest)
	case len(key) > maxKey:
		return name{}, refuse(http.StatusBadRequest, CodeBadRequest, "header %s is longer than %d bytes", HeaderRequest, maxKey)
	case !printable(key):
		return name{}, refuse(http.StatusBadRequest, CodeBadRequest, "header %s is not printable ASCII", HeaderRequest)
	default:
		return name{key: key}, nil
	}
}

// drawName returns a random name.
func drawName() name {
	ticket := make([]byte, ticketSize)
	_, _ = rand.Read(ticket) // never fails
	return name{ticket: ticket}
}

// set adds the name to a forwarded request.
func (n name) set(h http.Header) {
	if n.key != "" {
		h.Set(HeaderRequest, n.key)
		return
	}
	h.Set(headerTicket, hex.EncodeToString(n.ticket))
}
