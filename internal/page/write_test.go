package page

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// frames reads an answer of frames; the last line is its end.
func frames(t *testing.T, body []byte) ([]frame, ended) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	var all []frame
	for _, line := range lines[:len(lines)-1] {
		var f frame
		if err := unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	var end ended
	if err := unmarshal(lines[len(lines)-1], &end); err != nil || !end.Done {
		t.Fatalf("the answer ends with %q", lines[len(lines)-1])
	}
	return all, end
}

// TestWrite writes in every mode: what was given stands in every frame, and the
// last frame is the text.
func TestWrite(t *testing.T) {
	s := server(t)
	cases := []struct {
		name, run, body string
		frames          int
		begins          string
	}{
		{"free", "0", `{"mode":"free","length":12,"steps":4,"temperature":1,"guidance":1,"seed":3}`, 5, ""},
		{"prompt", "0", `{"mode":"prompt","text":"<script>","length":20,"steps":4,"temperature":0.8,"guidance":1,"seed":1}`, 5, "<script>"},
		{"infill", "0", `{"mode":"infill","text":"<script>[MASK:5]</script>","steps":3,"temperature":0.8,"guidance":1}`, 4, "<script>"},
		{"prompt of a run that predicts", "1", `{"mode":"prompt","text":"al","length":20,"steps":4,"temperature":0.8,"guidance":1,"seed":1}`, 1, "al"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := ask(s, "POST", "/api/runs/"+c.run+"/write", c.body, map[string]string{"Content-Type": "application/json", "Origin": "http://127.0.0.1:8080"})
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			all, end := frames(t, w.Body.Bytes())
			if len(all) != c.frames {
				t.Errorf("%d frames, want %d", len(all), c.frames)
			}
			for _, f := range all {
				text := strings.Join(f.Tokens, "")
				if !strings.HasPrefix(text, c.begins) || len(f.P) != len(f.Tokens) || len(f.Given) != len(f.Tokens) {
					t.Errorf("frame %d: %q, %d probabilities, %d given", f.Step, text, len(f.P), len(f.Given))
				}
			}
			last := strings.ReplaceAll(strings.Join(all[len(all)-1].Tokens, ""), "\n\n", "")
			if strings.ReplaceAll(end.Text, "\n\n", "") != last || end.Calls == 0 {
				t.Errorf("text %q, last frame %q, %d calls", end.Text, last, end.Calls)
			}
		})
	}
}

// closing is a listener that goes away after the first frame.
type closing struct {
	*httptest.ResponseRecorder
	leave func()
}

func (c closing) Write(b []byte) (int, error) {
	c.leave()
	return c.ResponseRecorder.Write(b)
}

// TestWriteEndsWithItsRequest: closing the request stops the work, and the next
// one has its turn.
func TestWriteEndsWithItsRequest(t *testing.T) {
	s := server(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	body := `{"mode":"free","length":2048,"steps":1000,"temperature":1,"guidance":1}`
	r := httptest.NewRequestWithContext(ctx, "POST", "http://127.0.0.1:8080/api/runs/0/write", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := closing{httptest.NewRecorder(), leave}
	begin := time.Now()
	s.handler.ServeHTTP(w, r)
	if n := strings.Count(w.Body.String(), `"tokens"`); n == 0 || n > 2 {
		t.Errorf("%d frames went to nobody", n)
	}
	next := ask(s, "POST", "/api/runs/0/write", `{"mode":"free","length":4,"steps":1,"temperature":1,"guidance":1}`, map[string]string{"Content-Type": "application/json"})
	if next.Code != http.StatusOK {
		t.Errorf("the next one: status %d: %s", next.Code, next.Body)
	}
	t.Logf("both took %v", time.Since(begin))
}
