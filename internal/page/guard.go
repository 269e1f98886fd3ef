package page

import (
	"net/http"
	"path"

	"github.com/seed-4c77ef92/textwarp/internal/loopback"
)

// policy lets the page do what its own files do and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
	"worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guarded keeps other web pages away: by DNS rebinding a foreign name can lead
// to this server, but stands in Host then; what a foreign page sends has its name
// in Origin. A request without Origin is one that a browser does not let a foreign
// page read.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch origin := r.Header.Get("Origin"); {
		case !loopback.Names(r.Host):
			refuse(w, http.StatusForbidden, "this server answers only to the names of this machine")
		case origin != "" && origin != "http://"+r.Host:
			refuse(w, http.StatusForbidden, "this server answers only its own page")
		case foreign(r.Header.Get("Sec-Fetch-Site")) && r.Header.Get("Sec-Fetch-Mode") != "navigate":
			refuse(w, http.StatusForbidden, "this server answers only its own page")
		case r.Method != http.MethodGet && r.Method != http.MethodHead && (r.Method != http.MethodPost || path.Base(r.URL.Path) != "write"):
			h.Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "there is nothing to change here")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// foreign says whether a browser names another page as the one that asks (Fetch
// Metadata, section 2.3).
func foreign(site string) bool { return site == "cross-site" || site == "same-site" }
