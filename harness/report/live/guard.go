package live

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard refuses what does not come from the page itself. A page of another site cannot read the token. That its requests are
// refused as well keeps it from guessing, and from learning that a cluster runs.
func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		switch {
		case !ours(r.Context().Value(http.LocalAddrContextKey), r.Host):
			refuse(w, http.StatusForbidden, "this page is only served by the address that the cluster printed: a name of loopback and its port")
		case !sameOrigin(r):
			refuse(w, http.StatusForbidden, "requests of pages from elsewhere are refused")
		case r.URL.Path != "/" && !authorized(r, token):
			h.Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "the token is missing or wrong: open the address that the cluster printed")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ours tells whether a request came to an address of loopback, and asks for it by such a name. Another name that leads to loopback
// is that of a site which had its name resolved again (DNS rebinding).
func ours(local any, host string) bool {
	at, is := local.(net.Addr)
	if !is {
		return false
	}
	address, err := netip.ParseAddrPort(at.String())
	if err != nil || !address.Addr().Unmap().IsLoopback() {
		return false
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), "80"
	}
	if port != portOf(at) {
		return false
	}
	named, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && named.IsLoopback()
}

func portOf(at net.Addr) string {
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return ""
	}
	return port
}

// sameOrigin tells whether a browser says that the request comes from this page, or from no page. A browser that names the site
// says so by Sec-Fetch-Site, an old one by Origin alone.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default: // a link from elsewhere may open the page, and nothing else
		return r.URL.Path == "/" && r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	from, err := url.Parse(origin)
	return err == nil && from.Scheme == "http" && strings.EqualFold(from.Host, r.Host)
}

// authorized compares in constant time, also if the lengths differ.
func authorized(r *http.Request, token string) bool {
	given, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && is && token != ""
}
