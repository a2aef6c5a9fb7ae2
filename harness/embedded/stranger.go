package embedded

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// stranger returns an error for a request that a web page of another origin makes a browser send.
// Health checks are exempt. For the headers that browsers send, see
// https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site.
func (n *Node) stranger(r *http.Request) error {
	if r.URL.Path == healthcheckPath {
		return nil
	}
	if !n.named(r.Host) {
		return refuse(http.StatusMisdirectedRequest, CodeMisdirected,
			"header Host is %q, but this is node %s: use its address %s, an IP address, localhost, or a name in its Config.Hosts",
			r.Host, n.config.ID, n.Address())
	}
	if origin, other := otherOrigin(r); other {
		return refuse(http.StatusForbidden, CodeForbidden, "the request comes from a web page of another origin (%s)",
			origin)
	}
	return nil
}

// named returns whether Host names this node. IP addresses are allowed, because DNS rebinding needs a
// name. Only HTTP/1.0 requests, which browsers never send, have no Host.
func (n *Node) named(host string) bool {
	if host == "" || host == n.Address() {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "localhost" {
		return true
	}
	own, _, err := net.SplitHostPort(n.Address())
	return err == nil && strings.EqualFold(host, own) ||
		slices.ContainsFunc(n.config.Hosts, func(name string) bool { return strings.EqualFold(host, name) })
}

// otherOrigin returns whether the headers say that a page of another origin sends the request.
func otherOrigin(r *http.Request) (origin string, other bool) {
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
	default:
		return "Sec-Fetch-Site: " + site, true
	}
	origin = r.Header.Get("Origin")
	if origin == "" {
		return "", false
	}
	page, err := url.Parse(origin)
	return "Origin: " + origin, err != nil || page.Host == "" || !strings.EqualFold(page.Host, r.Host)
}

// unreadable returns an error for a body that is not plain JSON. Requiring the content type also keeps
// web pages out: a browser sends a preflight request before such a request to another origin.
func unreadable(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return refuse(http.StatusUnsupportedMediaType, CodeMediaType,
			"the body is compressed (Content-Encoding: %s): send it uncompressed", coding)
	}
	given := r.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(given)
	if err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, CodeMediaType,
			"%s requires Content-Type: application/json, not %q (with curl: --json instead of -d)", r.URL.Path, given)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refuse(http.StatusUnsupportedMediaType, CodeMediaType, "JSON must be UTF-8, but Content-Type has charset=%s", charset)
	}
	return nil
}

// forwarderOf returns the ID of the node that forwarded the request; empty if none did.
func (n *Node) forwarderOf(r *http.Request) (string, error) {
	forwarder := r.Header.Get(headerForwarder)
	_, proven := r.Header[headerProof]
	if forwarder == "" && !proven {
		return "", nil
	}
	if !hmac.Equal([]byte(r.Header.Get(headerProof)), []byte(n.proofOf(forwarder))) {
		return "", refuse(http.StatusForbidden, CodeForbidden, "header %s is for nodes of the cluster", headerForwarder)
	}
	return forwarder, nil
}

// proofOf returns the proof that a request comes from the node forwarder, which knows the Token.
// Without a Token it only prevents mistakes.
func (n *Node) proofOf(forwarder string) string {
	mac := hmac.New(sha256.New, []byte(n.config.Token))
	_, _ = mac.Write([]byte("rejoin: a node forwards\x00" + forwarder)) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}
