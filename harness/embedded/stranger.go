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

// stranger is why a request is refused, whatever its sender: a web page of another origin
// makes a browser send it. It is asked of every path but the health check, which tells
// nothing, and changes nothing. See https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
// for what a browser tells.
func (n *Node) stranger(r *http.Request) error {
	if r.URL.Path == healthcheckPath {
		return nil
	}
	if !n.named(r.Host) {
		return refuse(http.StatusMisdirectedRequest, CodeMisdirected,
			"header Host is %q, and this is node %s: use its address %s, an IP address, localhost, or a name in its Config.Hosts",
			r.Host, n.config.ID, n.Address())
	}
	if origin, other := otherOrigin(r); other {
		return refuse(http.StatusForbidden, CodeForbidden, "a web page of another origin (%s) sends this request: no page may but the node's own",
			origin)
	}
	return nil
}

// named tells whether Host may be this node. An IP address may: no page of another
// origin has it as its own. Only HTTP/1.0, which no browser speaks, comes without Host.
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

// otherOrigin tells whether a browser says that it asks for a page from elsewhere.
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

// unreadable is why the body of a request cannot be read. That it must say it is JSON
// keeps web pages out as well: a browser asks before it sends that to another origin.
func unreadable(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return refuse(http.StatusUnsupportedMediaType, CodeMediaType, "the body is compressed (Content-Encoding: %s): send it as it is", coding)
	}
	given := r.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(given)
	if err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, CodeMediaType,
			"%s takes Content-Type: application/json, not %q (with curl: --json in place of -d)", r.URL.Path, given)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refuse(http.StatusUnsupportedMediaType, CodeMediaType, "JSON is UTF-8, and Content-Type says charset=%s", charset)
	}
	return nil
}

// forwarderOf is the node that forwards the request, or "".
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

// proofOf is what a node shows the others to be one of them: it knows their Token, and
// what it is for. Without a Token it only keeps out what says so by mistake.
func (n *Node) proofOf(forwarder string) string {
	mac := hmac.New(sha256.New, []byte(n.config.Token))
	_, _ = mac.Write([]byte("rejoin: a node forwards\x00" + forwarder)) // a hash takes everything
	return hex.EncodeToString(mac.Sum(nil))
}
