package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A port that is taken is told before training begins, not when the run is there.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := newWatch(options{metricsListen: l.Addr().String()}, dir)
	if w != nil || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, %v", w, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the run was begun")
	}
}
