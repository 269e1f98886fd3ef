package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

//go:embed dist
var dist embed.FS

// assets are the files of the page, by path.
var assets = map[string]struct{ file, kind string }{
	"/{$}":       {"index.html", "text/html; charset=utf-8"},
	"/app.js":    {"app.js", "text/javascript; charset=utf-8"},
	"/worker.js": {"worker.js", "text/javascript; charset=utf-8"},
	"/style.css": {"style.css", "text/css; charset=utf-8"},
}

// routes is the table of all paths.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for path, a := range assets {
		mux.Handle("GET "+path, asset(a.file, a.kind))
	}
	mux.Handle("GET /api/runs", handleValue(s.getRuns))
	mux.Handle("GET /api/runs/{id}/curves", handleValue(s.getCurves))
	mux.Handle("GET /api/runs/{id}/warp", handleValue(s.getWarp))
	mux.Handle("GET /api/runs/{id}/warp/{step}", handleValue(s.getSnapshot))
	mux.Handle("GET /api/runs/{id}/evaluations", handleValue(s.getEvaluations))
	mux.Handle("GET /api/runs/{id}/embeddings", handleValue(s.getEmbeddings))
	mux.Handle("GET /api/runs/{id}/neighbours", handleValue(s.getNeighbours))
	mux.Handle("GET /api/runs/{id}/vectors", handle(s.getVectors))
	mux.Handle("GET /api/runs/{id}/vectors.json", handleValue(s.getVectorIDs))
	mux.Handle("GET /api/runs/{id}/samples", handleValue(s.getSamples))
	mux.Handle("GET /api/runs/{id}/samples/{step}", handleValue(s.getSample))
	mux.Handle("GET /api/runs/{id}/figures/{figure}", handle(s.getFigure))
	mux.Handle("POST /api/runs/{id}/write", http.HandlerFunc(s.postWrite))
	mux.Handle("GET /api/shards", handleValue(s.getShards))
	mux.Handle("GET /api/shards/documents", handleValue(s.getDocuments))
	mux.Handle("GET /api/shards/documents/{document}", handleValue(s.getDocument))
	mux.Handle("GET /api/shards/figures/{figure}", handle(s.getShardFigure))
	mux.Handle("GET /api/events", http.HandlerFunc(s.getEvents))
	mux.Handle("/", handle(func(r *http.Request) (answer, error) {
		return answer{}, fmt.Errorf("there is nothing at %q: %w", r.URL.Path, safeio.ErrNotFound)
	}))
	return mux
}

// asset serves a file of the page.
func asset(name, kind string) http.Handler {
	body, err := dist.ReadFile("dist/" + name)
	if err != nil {
		return handle(func(*http.Request) (answer, error) { return answer{}, err })
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		send(w, r, answer{kind, body})
	})
}
