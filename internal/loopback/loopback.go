// Package loopback serves HTTP to this machine alone: it listens on no other
// address, and refuses requests in the name of another host, which is how a page
// from elsewhere would reach it through a browser (DNS rebinding).
package loopback

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
)

// ErrNotLoopback is returned for an address that others could reach.
var ErrNotLoopback = errors.New("not an address of this machine alone, such as 127.0.0.1:9090")

// Listen listens on an address host:port, whose host is localhost or a loopback
// address. Port 0 is any that is free.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w (%v)", address, ErrNotLoopback, err)
	}
	if host == "localhost" {
		host = "127.0.0.1" // whatever a resolver makes of the name
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("listen on %q: %w", address, ErrNotLoopback)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, errors.Unwrap(err)) // net repeats the address
	}
	return l, nil
}

// Guard passes on requests whose Host header names this machine, and answers
// others with 403.
func Guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Names(r.Host) {
			http.Error(w, "this server answers to localhost only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Names says whether a Host header names this machine.
func Names(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	return host == "localhost" || isLoopback(host)
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() && a.Zone() == ""
}
