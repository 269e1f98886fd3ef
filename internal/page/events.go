package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	mostListeners = 64
	heartbeat     = 15 * time.Second
)

// change says what is new of a run.
type change struct {
	Run     string   `json:"run"`
	Step    int      `json:"step"`
	State   string   `json:"state"`
	Changed []string `json:"changed"`
}

// news goes to all who listen. One who is slow misses what is old.
type news struct {
	mu        sync.Mutex
	listeners map[chan change]bool
}

func newNews() *news { return &news{listeners: map[chan change]bool{}} }

func (n *news) tell(c change) {
	if c.Changed == nil {
		c.Changed = []string{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.listeners {
		select {
		case l <- c:
		default:
		}
	}
}

// listen returns nil where too many listen.
func (n *news) listen() chan change {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.listeners) == mostListeners {
		return nil
	}
	l := make(chan change, 32)
	n.listeners[l] = true
	return l
}

func (n *news) leave(l chan change) {
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
		if _, err := w.Write(line); err != nil || control.Flush() != nil {
			return
		}
		select {
		case c := <-heard:
			body, err := json.Marshal(c)
			if err != nil {
				return
			}
			line = fmt.Appendf(nil, "data: %s\n\n", body)
		case <-beat.C:
			line = []byte(": still here\n\n")
		case <-r.Context().Done():
			return
		}
	}
}
