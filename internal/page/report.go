package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Bounds of a report.
const (
	// mostReport is how many bytes of answers go into a report; with the page's own
	// files it is a quarter of a megabyte more.
	mostReport        = 32 << 20
	recordedSnapshots = 40
	recordedSamples   = 24
	recordedDocuments = 5
	recordedTokens    = 2000 // of a document: two printed pages
)

// Report writes one file of HTML that shows what the page shows, from the answers
// inside of it: no server, no network, no other file. It holds at most 32 MB of
// answers and returns the paths of those that had no place, the least telling
// ones. It is to be called on a server that does not serve.
func (s *Server) Report(ctx context.Context, w io.Writer) (leftOut []string, err error) {
	s.update(ctx)
	if s.shards != nil {
		s.shards.shown = recordedTokens
	}
	r := recording{ctx: ctx, server: s, answers: map[string]json.RawMessage{}, room: mostReport}
	r.record()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	page, err := r.page()
	if err != nil {
		return nil, fmt.Errorf("make report: %w", err)
	}
	if _, err := io.WriteString(w, page); err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return r.leftOut, nil
}

// recording collects what the handlers answer to the paths that the page asks for.
type recording struct {
	ctx     context.Context
	server  *Server
	answers map[string]json.RawMessage
	room    int // bytes
	leftOut []string
}

// record asks for everything, what tells most first: the views of all runs, then
// their pictures, then moments of the past, then what can be large.
func (r *recording) record() {
	r.get("/api/runs")
	runs := r.server.runs
	for _, run := range runs {
		for _, view := range []string{"curves?points=1000", "warp", "evaluations", "samples", "embeddings"} {
			r.get("/api/runs/" + run.id + "/" + view)
		}
	}
	if r.server.shards != nil {
		r.get("/api/shards")
		r.get("/api/shards/documents?offset=0&limit=50")
	}
	for _, form := range []string{"svg", "csv"} {
		for _, run := range runs {
			for _, panel := range []string{"warp", "loss", "embeddings", "run"} {
				r.get("/api/runs/" + run.id + "/figures/" + panel + "." + form)
			}
		}
		if r.server.shards != nil {
			r.get("/api/shards/figures/shards." + form)
		}
	}
	for _, run := range runs {
		var samples []int
		for _, l := range run.Samples() {
			samples = append(samples, l.Step)
		}
		for _, step := range spread(samples, recordedSamples) {
			r.get(fmt.Sprintf("/api/runs/%s/samples/%d", run.id, step))
		}
		snapshots, _ := run.WarpSteps()
		for _, step := range spread(snapshots, recordedSnapshots) {
			r.get(fmt.Sprintf("/api/runs/%s/warp/%d", run.id, step))
		}
	}
	r.get("/worker.js")
	for _, run := range runs {
		r.get("/api/runs/" + run.id + "/vectors.json?limit=4000")
		r.get("/api/runs/" + run.id + "/vectors?limit=4000")
	}
	if r.server.shards != nil {
		for document := range recordedDocuments {
			r.get(fmt.Sprintf("/api/shards/documents/%d", document))
		}
	}
}

// spread takes at most n of some steps, evenly, the last among them.
func spread(steps []int, n int) []int {
	var some []int
	for i := range min(n, len(steps)) {
		some = append(some, steps[(i+1)*len(steps)/min(n, len(steps))-1])
	}
	return some
}

// get records the answer to a path. What a run does not have is no part of the
// report: the page says so in its place.
func (r *recording) get(path string) {
	request, err := http.NewRequestWithContext(r.ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil || r.ctx.Err() != nil {
		return
	}
	heard := recorder{header: http.Header{}}
	r.server.handler.ServeHTTP(&heard, request)
	if heard.status != http.StatusOK {
		return
	}
	var value any = json.RawMessage(heard.body.Bytes())
	switch kind := heard.header.Get("Content-Type"); kind {
	case typeJSON:
	case typeBytes:
		value = base64.StdEncoding.EncodeToString(heard.body.Bytes())
	default:
		value = heard.body.String()
	}
	recorded, err := json.Marshal(value)
	if err != nil || len(recorded) > r.room {
		r.leftOut = append(r.leftOut, path)
		return
	}
	r.answers[path], r.room = recorded, r.room-len(recorded)
}

// page puts the page's files and the answers in one file. Its policy allows this
// script and this style, by their hashes, and nothing from elsewhere.
func (r *recording) page() (string, error) {
	files := map[string]string{}
	for _, name := range []string{"index.html", "app.js", "style.css"} {
		content, err := dist.ReadFile("dist/" + name)
		if err != nil {
			return "", err
		}
		files[name] = string(content)
	}
	answers, err := json.Marshal(r.answers) // which escapes < and >
	if err != nil {
		return "", err
	}
	script, style := files["app.js"], files["style.css"]
	policy := "default-src 'none'; script-src '" + hashOf(script) + "'; style-src '" + hashOf(style) +
		"'; img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
	page := files["index.html"]
	for _, part := range []struct{ line, by string }{
		{`<!-- policy -->`, `<meta http-equiv="Content-Security-Policy" content="` + policy + `">`},
		{`<link rel="stylesheet" href="/style.css">`, "<style>" + style + "</style>"},
		{`<script src="/app.js" defer></script>`, `<script type="application/json" id="recorded">` + string(answers) + "</script>\n<script>" + script + "</script>"},
	} {
		before, after, found := strings.Cut(page, part.line)
		if !found {
			return "", fmt.Errorf("index.html has no line %s", part.line)
		}
		page = before + part.by + after
	}
	return page, nil
}

// hashOf is the source expression of an inline script or style (Content Security
// Policy Level 3, section 2.3.1).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
