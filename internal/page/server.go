package page

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/inspect"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	pollEvery    = time.Second
	shutdownTime = 2 * time.Second
	// countedTokens is how many tokens of the shards are counted.
	countedTokens = 20_000_000
)

// Server answers for some runs.
type Server struct {
	version string
	runs    []*run
	tables  tables
	shards  *shards // nil without
	writer  writer
	news    *news
	handler http.Handler
}

// run is a run directory by its place among the arguments.
type run struct {
	*inspect.Run
	id, name string
	read     chan struct{} // closed when it has been read once
	once     sync.Once
	told     told
}

// told is what the pages know of a run beside its logs.
type told struct {
	state, problem string
	saved          inspect.Saved
}

// New opens runs and, unless stream is "", a directory of shards. One that does
// not exist is [safeio.ErrNotFound]; one that is damaged shows as such on the
// page. Close ends it.
func New(version string, dirs []string, stream string) (*Server, error) {
	s := &Server{version: version, news: newNews(), writer: writer{turn: make(chan struct{}, 1)}}
	for i, dir := range dirs {
		r, err := inspect.Open(dir)
		if err != nil {
			s.Close()
			return nil, err
		}
		name := filepath.Base(dir)
		if absolute, err := filepath.Abs(dir); err == nil {
			name = filepath.Base(absolute)
		}
		s.runs = append(s.runs, &run{Run: r, id: fmt.Sprint(i), name: name, read: make(chan struct{})})
	}
	if stream != "" {
		var err error
		if s.shards, err = openShards(stream); err != nil {
			s.Close()
			return nil, err
		}
	}
	s.handler = guarded(s.routes())
	return s, nil
}

// Close ends the reading of the runs.
func (s *Server) Close() error {
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.Run.Close())
	}
	if s.shards != nil {
		s.shards.end()
	}
	s.writer.close()
	return errors.Join(errs...)
}

// Problems are what is wrong with the runs, a line each.
func (s *Server) Problems() []string {
	var all []string
	for _, r := range s.runs {
		if p := r.Problem(); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// Serve answers on l until ctx ends, whose error it returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	background, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler: s.handler, BaseContext: func(net.Listener) context.Context { return background },
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(background) })
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if server.Shutdown(limited) != nil {
			server.Close()
		}
		err = ctx.Err()
	}
	stop()
	watching.Wait()
	return err
}

// update reads what the runs have gained, as many at a time as there are cores.
func (s *Server) update(ctx context.Context) {
	var all sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, r := range s.runs {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			s.updateRun(r)
			<-turns
		})
	}
	all.Wait()
}

func (s *Server) updateRun(r *run) {
	changed := r.Update()
	now := r.Summary()
	r.once.Do(func() { close(r.read) })
	saved, _ := r.Checkpoint() // none is a place to begin with
	if saved != r.told.saved && !slices.Contains(changed, inspect.PartEmbeddings) {
		changed = append(changed, inspect.PartEmbeddings)
	}
	if t := (told{now.State, now.Problem, saved}); len(changed) > 0 || t != r.told {
		r.told = t
		s.news.tell(change{r.id, now.Step, now.State, now.Problem, changed})
	}
}

// watch reads what the runs gain until ctx ends.
func (s *Server) watch(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		s.update(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// run finds a run by its id, once it has been read.
func (s *Server) run(r *http.Request) (*run, error) {
	id := r.PathValue("id")
	for _, run := range s.runs {
		if run.id == id {
			select {
			case <-run.read:
				return run, nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
	}
	return nil, fmt.Errorf("there is no run %q: %w", id, safeio.ErrNotFound)
}
