package page

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/loopback"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "page")
	if err != nil {
		panic(err)
	}
	fixtureDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }

// paths are all that the page asks of a run and of shards.
func paths(run string) []string {
	all := []string{
		"/api/runs", "/api/shards", "/api/shards/documents?offset=0&limit=50", "/api/shards/documents/0",
		"/api/shards/figures/shards.svg", "/api/shards/figures/shards.csv",
	}
	for _, path := range []string{
		"curves?points=1000", "curves", "evaluations", "embeddings", "neighbours?token=3&k=4", "vectors?limit=4", "vectors.json?limit=4",
		"samples", "samples/10", "warp", "warp/1", "figures/warp.svg", "figures/warp.png?step=1", "figures/loss.json", "figures/loss.csv",
		"figures/embeddings.svg", "figures/embeddings.csv", "figures/run.svg", "figures/run.json",
	} {
		all = append(all, "/api/runs/"+run+"/"+path)
	}
	return all
}

// TestAnswers asks for everything of a run whose tokens are hostile: it is
// answered, and nothing in it could be taken for markup or for a command of the
// terminal.
func TestAnswers(t *testing.T) {
	s := server(t)
	for _, path := range paths("0") {
		t.Run(path, func(t *testing.T) {
			w := get(s, path)
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			body, kind := w.Body.String(), w.Header().Get("Content-Type")
			switch kind {
			case typeJSON:
				if !json.Valid(w.Body.Bytes()) || strings.ContainsAny(body, "<>\x1b\x00") {
					t.Errorf("not JSON that is harmless: %.200q", body)
				}
			case "image/svg+xml", "text/csv; charset=utf-8":
				if strings.Contains(strings.ToLower(body), "<script") || strings.ContainsAny(body, "\x1b\x00\u202e") {
					t.Error("hostile text in a figure")
				}
			}
			for name, want := range map[string]string{
				"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
				"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestShapes: columns are of one length, and what the views of a run say of it
// agrees.
func TestShapes(t *testing.T) {
	s := server(t)
	runs := decode[runsAnswer](t, get(s, "/api/runs")).Runs
	if len(runs) != 2 || runs[0].Problem != "" || runs[0].Step != 20 || runs[0].State != "finished" || runs[1].Objective != trainer.AR {
		t.Errorf("runs %+v", runs)
	}
	c := decode[curvesAnswer](t, get(s, "/api/runs/0/curves?points=4"))
	if n := len(c.Training.Step); n == 0 || n > 4 || len(c.Training.Loss) != n || len(c.Training.LossMax) != n || c.Training.Step[n-1] != 20 {
		t.Errorf("training %+v", c.Training)
	}
	e := decode[embeddingsAnswer](t, get(s, "/api/runs/0/embeddings"))
	if n := runs[0].Vocab; len(e.Tokens.Text) != n || len(e.Tokens.Norm) != n || len(e.Tokens.X) != n || len(e.Tokens.Count) != n {
		t.Errorf("%d tokens, %d norms, %d places, %d counts, want %d", len(e.Tokens.Text), len(e.Tokens.Norm), len(e.Tokens.X), len(e.Tokens.Count), n)
	}
	if n := len(e.History.Step); n == 0 || len(e.History.Alarms) != n || len(e.History.NormQ95) != n {
		t.Errorf("history %+v", e.History)
	}
	ids := decode[vectorIDsAnswer](t, get(s, "/api/runs/0/vectors.json?limit=7"))
	if vectors := get(s, "/api/runs/0/vectors?limit=7").Body.Len(); len(ids.IDs) != 7 || vectors != 7*4*ids.Dim {
		t.Errorf("%d bytes of vectors for %d ids of %d numbers", vectors, len(ids.IDs), ids.Dim)
	}
	sample := decode[sampleAnswer](t, get(s, "/api/runs/0/samples/20"))
	if len(sample.Frames) < 2 {
		t.Fatalf("%d frames", len(sample.Frames))
	}
	last := sample.Frames[len(sample.Frames)-1]
	if text := strings.Join(last.Tokens, ""); text != sample.Text {
		t.Errorf("the last frame is %q, the text %q", text, sample.Text)
	}
	d := decode[documentAnswer](t, get(s, "/api/shards/documents/0"))
	if text := strings.TrimSuffix(strings.Join(d.Tokens, ""), "\n\n"); text != d.Text {
		t.Errorf("tokens %.80q, text %.80q", text, d.Text)
	}
}

// TestGuard lists requests that are not the page's own.
func TestGuard(t *testing.T) {
	s := server(t)
	json := map[string]string{"Content-Type": "application/json"}
	with := func(name, value string) map[string]string {
		return map[string]string{name: value, "Content-Type": "application/json"}
	}
	cases := []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
	}{
		{"the page", "GET", "/", "", nil, 200},
		{"by name", "GET", "/api/runs", "", with("Host", "localhost:8080"), 200},
		{"by IPv6", "GET", "/api/runs", "", with("Host", "[::1]:8080"), 200},
		{"own origin", "GET", "/api/runs", "", with("Origin", "http://127.0.0.1:8080"), 200},
		{"a foreign name", "GET", "/api/runs", "", with("Host", "evil.example"), 403},
		{"a name that begins well", "GET", "/api/runs", "", with("Host", "127.0.0.1.evil.example:8080"), 403},
		{"another machine", "GET", "/api/runs", "", with("Host", "192.168.0.7:8080"), 403},
		{"no name", "GET", "/api/runs", "", with("Host", ""), 403},
		{"a foreign name asks for the page", "GET", "/", "", with("Host", "evil.example"), 403},
		{"a foreign origin", "GET", "/api/runs", "", with("Origin", "http://evil.example"), 403},
		{"the origin of a file", "GET", "/api/runs", "", with("Origin", "null"), 403},
		{"another port of this machine", "GET", "/api/runs", "", with("Origin", "http://127.0.0.1:8081"), 403},
		{"an image on a foreign page", "GET", "/api/runs/0/figures/warp.png", "", with("Sec-Fetch-Site", "cross-site"), 403},
		{"an image on another page of this machine", "GET", "/api/runs/0/figures/warp.png", "", with("Sec-Fetch-Site", "same-site"), 403},
		{"delete", "DELETE", "/api/runs/0", "", nil, 405},
		{"put", "PUT", "/api/runs/0/write", "{}", json, 405},
		{"trace", "TRACE", "/", "", nil, 405},
		{"post to what is read", "POST", "/api/runs", "{}", json, 405},
		{"write without a body", "GET", "/api/runs/0/write", "", nil, 404},
		{"write as a form", "POST", "/api/runs/0/write", "text=a", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 400},
		{"write as text", "POST", "/api/runs/0/write", `{"mode":"free","steps":1}`, map[string]string{"Content-Type": "text/plain"}, 400},
		{"write from elsewhere", "POST", "/api/runs/0/write", `{"mode":"free","steps":1}`, with("Origin", "https://evil.example"), 403},
		{"write half of JSON", "POST", "/api/runs/0/write", `{"mode":`, json, 400},
		{"write with what nobody knows", "POST", "/api/runs/0/write", `{"mode":"free","path":"/etc/passwd"}`, json, 400},
		{"write too long a text", "POST", "/api/runs/0/write", `{"text":"` + strings.Repeat("a", mostAsked) + `"}`, json, 413},
		{"write too many tokens", "POST", "/api/runs/0/write", `{"mode":"free","steps":1,"length":1000000000}`, json, 400},
		{"write in no steps", "POST", "/api/runs/0/write", `{"mode":"free","steps":-1}`, json, 400},
		{"write in an unknown mode", "POST", "/api/runs/0/write", `{"mode":"rm","steps":1}`, json, 400},
		{"write an endless temperature", "POST", "/api/runs/0/write", `{"mode":"free","steps":1,"temperature":1e999}`, json, 400},
		{"write of no run", "POST", "/api/runs/9/write", `{"mode":"free","steps":1}`, json, 404},
		{"a run that is none", "GET", "/api/runs/2/warp", "", nil, 404},
		{"a run below zero", "GET", "/api/runs/-1/warp", "", nil, 404},
		{"a path as a run", "GET", "/api/runs/..%2f..%2fetc/warp", "", nil, 404},
		{"a path as a figure", "GET", "/api/runs/0/figures/..%2f..%2fconfig.toml", "", nil, 404},
		{"an encoded path out", "GET", "/%2e%2e/%2e%2e/etc/passwd", "", nil, 404},
		{"a file of this machine", "GET", "/etc/passwd", "", nil, 404},
		{"a source of the page", "GET", "/sources.sha256", "", nil, 404},
		{"a step that is none", "GET", "/api/runs/0/warp/7", "", nil, 404},
		{"a step beyond numbers", "GET", "/api/runs/0/warp/99999999999999999999", "", nil, 400},
		{"a step that is a word", "GET", "/api/runs/0/samples/newest", "", nil, 400},
		{"no points", "GET", "/api/runs/0/curves?points=0", "", nil, 400},
		{"too many vectors", "GET", "/api/runs/0/vectors?limit=1000000", "", nil, 400},
		{"a token that is none", "GET", "/api/runs/0/neighbours?token=100000", "", nil, 400},
		{"a document that is none", "GET", "/api/shards/documents/77", "", nil, 404},
		{"a document as a path", "GET", "/api/shards/documents/..%2fmanifest.json", "", nil, 400},
		{"a form that is none", "GET", "/api/runs/0/figures/warp.exe", "", nil, 404},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := ask(s, c.method, c.path, c.body, c.header)
			if w.Code != c.status {
				t.Fatalf("status %d, want %d: %.200s", w.Code, c.status, w.Body)
			}
			if w.Header().Get("Content-Security-Policy") != policy {
				t.Error("no policy")
			}
			if w.Code >= 400 {
				var said struct{ Error string }
				if err := unmarshal(w.Body.Bytes(), &said); err != nil || said.Error == "" || strings.Contains(said.Error, "\n") {
					t.Errorf("the error is %q", w.Body)
				}
			}
		})
	}
}

func unmarshal(b []byte, v any) error { return json.Unmarshal(b, v) }

// TestHostileRuns damages a run directory in one way each: the page says so or
// shows what is left, no request fails by the server's fault, and the other run
// is as it was.
func TestHostileRuns(t *testing.T) {
	m := fixture()
	if m.err != nil {
		t.Fatal(m.err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := writeFile(secret, `{"step":4711,"text":"a secret"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) func(dir string) error {
		return func(dir string) error { return writeFile(filepath.Join(dir, name), text) }
	}
	add := func(name, text string) func(dir string) error {
		return func(dir string) error {
			old, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			return writeFile(filepath.Join(dir, name), string(old)+text)
		}
	}
	link := func(name, to string) func(dir string) error {
		return func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, name)), os.Symlink(to, filepath.Join(dir, name)))
		}
	}
	cases := []struct {
		name    string
		damage  func(dir string) error
		problem string // in the list of runs; "" for none
	}{
		{"an empty directory", func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)) }, "no run in"},
		{"no configuration", func(dir string) error { return os.Remove(filepath.Join(dir, "config.toml")) }, "config.toml"},
		{"no tokenizer", func(dir string) error { return os.Remove(filepath.Join(dir, "tokenizer.json")) }, "tokenizer.json"},
		{"no checkpoints", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "checkpoints")) }, ""},
		{"no logs", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "metrics.jsonl")), os.Remove(filepath.Join(dir, "warp.jsonl")), os.Remove(filepath.Join(dir, "samples.jsonl")))
		}, ""},
		{"a line that was cut", add("metrics.jsonl", `{"step":21,"lo`), ""},
		{"half a line in the middle", add("metrics.jsonl", "{\"step\":21,\"lo\n"), "metrics.jsonl"},
		{"binary garbage", put("warp.jsonl", "\x00\xff\xfe\x1b]0;title\x07\n"), "warp.jsonl"},
		{"markup instead of lines", put("samples.jsonl", "<script>alert(1)</script>\n"), "samples.jsonl"},
		{"a huge line", add("samples.jsonl", `{"step":30,"text":"`+strings.Repeat("x", 17<<20)+"\"}\n"), "longer than"},
		{"deep JSON", add("metrics.jsonl", strings.Repeat("[", 1<<20)+"\n"), "metrics.jsonl"},
		{"numbers that are none", add("metrics.jsonl", `{"step":21,"loss":1e999}`+"\n"), "metrics.jsonl"},
		{"a sample of tokens that are none", add("samples.jsonl", `{"step":30,"text":"\u001b[31m","frames":[{"step":1,"t":-1,"ids":[-7,99999999],"p":[]}]}`+"\n"), ""},
		{"classes with markup", add("metrics.jsonl", `{"step":21,"eval":{"t":[1],"ce":[1],"se":[0],"classes":[{"group":"<b>","name":"</script>\u202e","ce":[1],"se":[0]}]}}`+"\n"), ""},
		{"a warp of zeros", add("warp.jsonl", `{"step":30,"warp":{"t_min":0,"t_max":0,"t":[0,0],"cdf":[0,0],"density":[0,0]}}`+"\n"), "warp"},
		{"a configuration that is binary", put("config.toml", "\x00\x01\x02"), "config.toml"},
		{"an immense model", func(dir string) error {
			old, err := os.ReadFile(filepath.Join(dir, "config.toml"))
			if err != nil {
				return err
			}
			return writeFile(filepath.Join(dir, "config.toml"), strings.Replace(string(old), "width = 16", "width = 1000000000", 1))
		}, "width"},
		{"weights that are none", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "checkpoints", "step-00000020", "weights.safetensors")),
				writeFile(filepath.Join(dir, "checkpoints", "step-00000020", "weights.safetensors"), strings.Repeat("\xff", 100)))
		}, ""},
		{"a log that is a link out", link("metrics.jsonl", secret), "metrics.jsonl"},
		{"samples that are a link out", link("samples.jsonl", secret), "samples.jsonl"},
		{"a tokenizer that is a link out", link("tokenizer.json", secret), "tokenizer.json"},
		{"checkpoints that are a link out", link("checkpoints", filepath.Join(m.cdcd, "checkpoints")), ""},
		{"a log that is a device", link("metrics.jsonl", "/dev/zero"), "metrics.jsonl"},
		{"a log that is a directory", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "warp.jsonl")), os.Mkdir(filepath.Join(dir, "warp.jsonl"), 0o755))
		}, "warp.jsonl"},
		{"a link to itself", link("timing.jsonl", "timing.jsonl"), "timing.jsonl"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run\x1b[31m<b>")
			if err := os.CopyFS(dir, os.DirFS(m.cdcd)); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			s := serverOf(t, m.shards, dir, m.cdcd)
			runs := decode[runsAnswer](t, get(s, "/api/runs")).Runs
			if p := runs[0].Problem; !strings.Contains(p, c.problem) || c.problem == "" && p != "" || strings.Contains(p, "\n") {
				t.Errorf("problem %q, want %q in it", p, c.problem)
			}
			if runs[1].Problem != "" || runs[1].Step != 20 {
				t.Errorf("the whole run shows as %+v", runs[1])
			}
			all := append(paths("0"), "/api/runs/0/samples/30")
			for _, path := range all {
				w := get(s, path)
				if w.Code >= 500 {
					t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
				}
				if strings.Contains(w.Body.String(), "a secret") || strings.Contains(w.Body.String(), `"step":4711`) {
					t.Errorf("%s shows what is outside of the run", path)
				}
			}
			w := ask(s, "POST", "/api/runs/0/write", `{"mode":"free","steps":1,"temperature":1,"guidance":1}`, map[string]string{"Content-Type": "application/json"})
			if w.Code >= 500 {
				t.Errorf("write: status %d: %s", w.Code, w.Body)
			}
		})
	}
}

// TestAssets: what a browser has it need not load again, and what is long comes
// compressed.
func TestAssets(t *testing.T) {
	s := server(t)
	for _, path := range []string{"/", "/app.js", "/worker.js", "/style.css"} {
		w := get(s, path)
		tag := w.Header().Get("ETag")
		if w.Code != http.StatusOK || tag == "" {
			t.Errorf("%s: status %d, tag %q", path, w.Code, tag)
		}
		if again := ask(s, "GET", path, "", map[string]string{"If-None-Match": tag}); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: status %d with its own tag", path, again.Code)
		}
		if path == "/" {
			continue
		}
		small := ask(s, "GET", path, "", map[string]string{"Accept-Encoding": "gzip"})
		z, err := gzip.NewReader(small.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || string(body) != w.Body.String() {
			t.Errorf("%s: what was compressed is not what it was: %v", path, err)
		}
	}
}

// TestServe follows a run over a connection: what it gains is an event, and the
// end of the context ends the server though a page still listens.
func TestServe(t *testing.T) {
	dir := copied(t)
	s, err := New("test", []string{dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	base := "http://" + l.Addr().String()

	answer, err := http.Get(base + "/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("events are %q", kind)
	}
	if _, err := http.Get(base + "/api/runs"); err != nil { // the run has been read once
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if _, err := fmt.Fprintln(log, `{"step":22,"tokens":1,"loss":1}`); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		var c change
		if err := unmarshal([]byte(data), &c); err != nil {
			t.Fatal(err)
		}
		if c.Run == "0" && c.Step == 22 && len(c.Changed) == 1 && c.Changed[0] == "metrics" {
			break
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-served:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("serve: %v", err)
		}
	case <-time.After(2 * shutdownTime):
		t.Error("the server goes on")
	}
}
