package generate

import (
	"math"
	"slices"
	"testing"
)

// TestJudge: its score is the likelihood that the run's own sampler gave to the
// tokens of a text, and does not depend on the texts beside it; a text longer
// than the window is read in several.
func TestJudge(t *testing.T) {
	m := wildAR(t, 1, 0)
	w := predictor(t, m)
	w.sampler.TopP = 1
	j, err := NewJudge(m)
	if err != nil {
		t.Fatal(err)
	}
	rank := func(r Ranker, texts []Text) []float64 {
		t.Helper()
		scores, err := r.Rank(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	var texts []Text
	for _, x := range collect(t, w, Blank(m.Config.Data.Length), 0, 40) {
		if slices.Equal(m.Tokenizer.Encode(nil, x.Text), x.IDs) { // nothing special was drawn
			texts = append(texts, x)
		}
	}
	if len(texts) < 5 {
		t.Fatalf("%d texts without special tokens", len(texts))
	}
	got, want := rank(j, texts), rank(w.Confidence(), texts)
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-4 {
			t.Errorf("%q: %v nats a character, expected %v", texts[i].Text, got[i], want[i])
		}
	}
	if alone := rank(j, texts[3:4]); !slices.Equal(alone, got[3:4]) {
		t.Errorf("alone %v, among others %v", alone, got[3])
	}
	both := rank(j, []Text{{Text: texts[0].Text + texts[1].Text}})[0]
	if math.Abs(both-(got[0]+got[1])/2) > 1e-5 {
		t.Errorf("a text of two windows: %v, expected the mean of %v and %v", both, got[0], got[1])
	}
	if empty := rank(j, []Text{{}})[0]; empty != -math.Log(float64(m.Tokenizer.VocabSize())) {
		t.Errorf("an empty text: %v, expected a blind guess", empty)
	}
	if _, err := NewJudge(wild(t, 1)); err == nil {
		t.Error("a run of diffusion is accepted as a judge")
	}
}
