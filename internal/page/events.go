package page

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	mostListeners = 64
	heartbeat     = 15 * time.Second
	// readTime is how long a reader may take over a line, so that nobody waits for
	// one who has gone to sleep.
	readTime = 30 * time.Second
)

// change says what is new of a run.
type change struct {
	Run     string   `json:"run"`
	Step    int      `json:"step"`
	State   string   `json:"state"`
	Problem string   `json:"problem,omitempty"`
	Changed []string `json:"changed"`
}

// news goes to all who listen. To one who is slow it comes at once, in one change of
// each run.
type news struct {
	mu        sync.Mutex
	listeners map[*listener]bool
}

// listener is woken when there is something in pending, by run.
type listener struct {
	wake    chan struct{}
	pending map[string]change
}

func newNews() *news { return &news{listeners: map[*listener]bool{}} }

func (n *news) tell(c change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.listeners {
		c := c
		c.Changed = slices.Concat(l.pending[c.Run].Changed, c.Changed)
		slices.Sort(c.Changed)
		c.Changed = append([]string{}, slices.Compact(c.Changed)...)
		l.pending[c.Run] = c
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// take gives what is pending, by run.
func (n *news) take(l *listener) []change {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []change
	for _, run := range slices.Sorted(maps.Keys(l.pending)) {
		all = append(all, l.pending[run])
	}
	clear(l.pending)
	return all
}

// listen returns nil where too many listen.
func (n *news) listen() *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.listeners) == mostListeners {
		return nil
	}
	l := &listener{make(chan struct{}, 1), map[string]change{}}
	n.listeners[l] = true
	return l
}

func (n *news) leave(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, l)
}

// getEvents sends what changes as server-sent events (HTML standard, section
// 9.2) until the request ends.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	heard := s.news.listen()
	if heard == nil {
		refuse(w, http.StatusServiceUnavailable, "too many pages are open")
		return
	}
	defer s.news.leave(heard)
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	line := []byte("retry: 2000\n\n")
	for {
		control.SetWriteDeadline(time.Now().Add(readTime))
		if _, err := w.Write(line); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-heard.wake:
			line = nil
			for _, c := range s.news.take(heard) {
				body, err := json.Marshal(c)
				if err != nil {
					return
				}
				line = fmt.Appendf(line, "data: %s\n\n", body)
			}
		case <-beat.C:
			line = []byte(": still here\n\n")
		case <-r.Context().Done():
			return
		}
	}
}
