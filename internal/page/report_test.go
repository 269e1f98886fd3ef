package page

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestReport reads a report as a browser would: its policy names its one script
// and its one style, it loads nothing, and it holds what the handlers answer.
func TestReport(t *testing.T) {
	s := server(t)
	var b bytes.Buffer
	leftOut, err := s.Report(t.Context(), &b)
	if err != nil || len(leftOut) > 0 {
		t.Fatalf("left out %v: %v", leftOut, err)
	}
	if bytes.Contains(b.Bytes(), []byte("alert(1)<")) || bytes.Contains(b.Bytes(), []byte("<script>alert")) {
		t.Error("a text of the run stands in the report as markup")
	}
	document, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var policy, script, style string
	recorded := map[string]json.RawMessage{}
	for n := range document.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attribute := map[string]string{}
		for _, a := range n.Attr {
			attribute[a.Key] = a.Val
			if a.Key == "src" || a.Key == "href" && !strings.HasPrefix(a.Val, "#") && a.Val != "data:," || strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		text := ""
		if n.FirstChild != nil {
			text = n.FirstChild.Data
		}
		switch {
		case n.Data == "meta" && attribute["http-equiv"] == "Content-Security-Policy":
			policy = attribute["content"]
		case n.Data == "script" && attribute["id"] == "recorded":
			if err := json.Unmarshal([]byte(text), &recorded); err != nil {
				t.Fatal(err)
			}
		case n.Data == "script":
			script += text
		case n.Data == "style":
			style += text
		}
	}
	for name, part := range map[string]string{"script-src": script, "style-src": style} {
		if want := name + " '" + hashOf(part) + "'"; !strings.Contains(policy, want) {
			t.Errorf("the policy %q has no %s", policy, want)
		}
	}
	for _, path := range []string{
		"/api/runs", "/api/runs/0/curves?points=1000", "/api/runs/0/warp", "/api/runs/0/warp/1", "/api/runs/0/evaluations", "/api/runs/0/embeddings",
		"/api/runs/0/samples", "/api/runs/0/samples/20", "/api/runs/0/figures/warp.svg", "/api/runs/0/figures/run.csv", "/api/runs/1/figures/run.svg",
		"/api/runs/0/vectors.json?limit=4000", "/api/runs/0/vectors?limit=4000", "/worker.js", "/api/shards", "/api/shards/documents/0",
	} {
		if _, ok := recorded[path]; !ok {
			t.Errorf("%s is not recorded", path)
		}
	}
	if string(recorded["/api/runs/0/evaluations"]) != get(s, "/api/runs/0/evaluations").Body.String() {
		t.Error("what is recorded is not what the server answers")
	}
}

// TestReportIsBounded: what has no room is named, and what tells most has it.
func TestReportIsBounded(t *testing.T) {
	s := server(t)
	r := recording{ctx: t.Context(), server: s, answers: map[string]json.RawMessage{}, room: 60_000}
	r.record()
	size := 0
	for _, a := range r.answers {
		size += len(a)
	}
	if size > 60_000 {
		t.Errorf("%d bytes", size)
	}
	if !slices.Contains(r.leftOut, "/worker.js") || r.answers["/api/runs/1/curves?points=1000"] == nil {
		t.Errorf("left out %v", r.leftOut)
	}
}

func TestSpread(t *testing.T) {
	for name, c := range map[string]struct {
		steps []int
		n     int
		want  []int
	}{
		"none":    {nil, 3, nil},
		"all":     {[]int{1, 2, 3}, 3, []int{1, 2, 3}},
		"some":    {[]int{1, 2, 3, 4, 5, 6, 7}, 3, []int{2, 4, 7}},
		"the one": {[]int{1, 2, 3}, 1, []int{3}},
	} {
		if got := spread(c.steps, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
