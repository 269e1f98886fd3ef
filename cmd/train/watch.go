package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/loopback"
	"github.com/seed-4c77ef92/textwarp/internal/metrics"
	"github.com/seed-4c77ef92/textwarp/internal/tensorboard"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// tensorboardDir holds the event files of a run.
const tensorboardDir = "tensorboard"

// watch passes what a run tells on to all who look on.
type watch struct {
	dir      string
	screen   screen
	board    *tensorboard.Log // nil where --tensorboard is not given
	listener net.Listener     // nil where --metrics-listen is not given
	metrics  *metrics.Run
	server   *http.Server
	closed   bool
}

// newWatch prepares what o asks for of the run in dir. An address that cannot be
// had is an error before anything else is done.
func newWatch(o options, dir string) (*watch, error) {
	w := &watch{dir: dir, screen: newScreen(os.Stderr, dir)}
	if o.metricsListen == "" {
		return w, nil
	}
	var err error
	w.listener, err = loopback.Listen(o.metricsListen)
	switch {
	case errors.Is(err, loopback.ErrNotLoopback):
		return nil, cli.Usagef("--metrics-listen: %w", err)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, cli.Hint(fmt.Errorf("--metrics-listen: %w", err), "choose another port, or :0 for any that is free")
	case err != nil:
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	return w, nil
}

// begin starts the files and the server once the run is there.
func (w *watch) begin(o options, c trainer.Config, step int) {
	if o.tensorboard {
		warn := func(err error) { w.screen.say("warning: no more TensorBoard events: %v", err) }
		if events, err := tensorboard.Create(filepath.Join(w.dir, tensorboardDir), step+1); err != nil {
			warn(err)
		} else {
			w.board = tensorboard.NewLog(events, warn)
		}
	}
	if w.listener != nil {
		w.metrics = metrics.New(w.dir, cli.Version(), c, step)
		w.server = &http.Server{Handler: loopback.Guard(w.metrics.Handler()), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
		go w.server.Serve(w.listener) // until close
		cli.Tell("metrics at http://%s/metrics", w.listener.Addr())
	}
}

func (w *watch) event(e trainer.Event) {
	w.screen.event(e)
	if w.board != nil {
		w.board.Event(e)
	}
	if w.metrics != nil {
		w.metrics.Event(e)
	}
}

// close ends what newWatch and begin started. A second close does nothing.
func (w *watch) close() {
	if w.closed {
		return
	}
	w.closed = true
	w.screen.done()
	if w.board != nil {
		w.board.Close()
	}
	if w.server != nil {
		w.server.Close()
	} else if w.listener != nil {
		w.listener.Close()
	}
}
