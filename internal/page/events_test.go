package page

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// TestNews: who is slow hears all that has changed, and how it is now.
func TestNews(t *testing.T) {
	n := newNews()
	l := n.listen()
	for step := range 100 {
		n.tell(change{Run: "0", Step: step, State: "training", Changed: []string{"metrics"}})
	}
	n.tell(change{Run: "1", Step: 5, State: "stopped"})
	n.tell(change{Run: "0", Step: 100, State: "finished", Changed: []string{"warp", "metrics"}})
	<-l.wake
	got := n.take(l)
	if len(got) != 2 || got[0].Step != 100 || got[0].State != "finished" || !slices.Equal(got[0].Changed, []string{"metrics", "warp"}) || got[1].Changed == nil {
		t.Errorf("heard %+v", got)
	}
	select {
	case <-l.wake:
		t.Error("woken for nothing")
	default:
	}
	n.leave(l)
	n.tell(change{Run: "0"})
	if got := n.take(l); got != nil {
		t.Errorf("heard %+v after leaving", got)
	}
}

// TestToldOnce: that a run begins, ends, is damaged and has another checkpoint is
// told, though no log has grown, and told once.
func TestToldOnce(t *testing.T) {
	dir := copied(t)
	s := serverOf(t, "", dir)
	l := s.news.listen()
	heard := func() []change {
		s.update(t.Context())
		return s.news.take(l)
	}
	if got := heard(); got != nil {
		t.Errorf("nothing has happened: %+v", got)
	}
	lock, err := safeio.FS{}.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := heard(); len(got) != 1 || got[0].State != "training" {
		t.Errorf("begun: %+v", got)
	}
	lock.Close()
	if got := heard(); len(got) != 1 || got[0].State != "finished" {
		t.Errorf("ended: %+v", got)
	}
	if got := heard(); got != nil {
		t.Errorf("told twice: %+v", got)
	}
	checkpoint := filepath.Join(dir, "checkpoints", "step-00000030")
	if err := os.Mkdir(checkpoint, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := heard(); len(got) != 1 || !slices.Equal(got[0].Changed, []string{"embeddings"}) {
		t.Errorf("saved: %+v", got)
	}
	log := filepath.Join(dir, "metrics.jsonl")
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []bool{true, false} {
		text := whole
		if bad {
			text = append(slices.Clone(whole), "{bad\n"...)
		}
		if err := os.WriteFile(log, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := heard(); len(got) != 1 || strings.Contains(got[0].Problem, "metrics.jsonl") != bad {
			t.Errorf("bad %v: %+v", bad, got)
		}
	}
}

// asleep is a reader who may have gone to sleep: it notes until when it is waited
// for.
type asleep struct {
	*httptest.ResponseRecorder
	until time.Time
	leave func()
}

func (a *asleep) SetWriteDeadline(until time.Time) error {
	a.until = until
	return nil
}

func (a *asleep) Write(b []byte) (int, error) {
	defer a.leave()
	return a.ResponseRecorder.Write(b)
}

// TestReaderAsleep: nobody waits longer than readTime for one who does not read.
func TestReaderAsleep(t *testing.T) {
	s := server(t)
	for _, path := range []string{"/api/events", "/api/runs/0/write"} {
		t.Run(path, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			a := &asleep{ResponseRecorder: httptest.NewRecorder()}
			waited := time.Duration(0)
			a.leave = func() { waited = time.Until(a.until); leave() }
			method, body := "GET", ""
			if strings.HasSuffix(path, "write") {
				method, body = "POST", `{"mode":"free","length":4,"steps":1,"temperature":1,"guidance":1}`
			}
			r := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			s.handler.ServeHTTP(a, r)
			if waited <= 0 || waited > readTime {
				t.Errorf("waited for %v", waited)
			}
		})
	}
}
