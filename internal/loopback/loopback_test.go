package loopback

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
)

func TestListen(t *testing.T) {
	cases := []struct {
		address string
		good    bool
	}{
		{"127.0.0.1:0", true},
		{"localhost:0", true},
		{"127.8.9.1:0", true},
		{":0", false},
		{"0.0.0.0:0", false},
		{"[::]:0", false},
		{"192.0.2.1:0", false},
		{"example.org:0", false},
		{"localhost.example.org:0", false},
		{"127.0.0.1", false},
		{"9090", false},
		{"", false},
		{"[::1%lo]:0", false},
	}
	for _, c := range cases {
		t.Run(c.address, func(t *testing.T) {
			l, err := Listen(c.address)
			if err == nil {
				l.Close()
			}
			if c.good != (err == nil) || !c.good && !errors.Is(err, ErrNotLoopback) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Listen(l.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, ErrNotLoopback) {
		t.Errorf("got %v", err)
	}
}

func TestGuard(t *testing.T) {
	h := Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	cases := []struct {
		host string
		want int
	}{
		{"127.0.0.1:9090", 200},
		{"127.0.0.1", 200},
		{"localhost:9090", 200},
		{"localhost", 200},
		{"[::1]:9090", 200},
		{"[::1]", 200},
		{"attacker.example", 403},
		{"attacker.example:9090", 403},
		{"localhost.attacker.example", 403},
		{"127.0.0.1.attacker.example", 403},
		{"192.0.2.1:9090", 403},
		{"0.0.0.0:9090", 403},
		{"", 403},
		{":9090", 403},
		{"[]", 403},
	}
	for _, c := range cases {
		t.Run(c.host, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("got %d, want %d", w.Code, c.want)
			}
		})
	}
}
