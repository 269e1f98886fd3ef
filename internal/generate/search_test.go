package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/diffusion"
)

// clerk writes the layout and the number of a text.
type clerk struct{}

func (clerk) Write(_ context.Context, c Canvas, first, n int, each func(Text) error) error {
	for i := first; i < first+n; i++ {
		if err := each(Text{Number: i, Canvas: c, Text: fmt.Sprintf("%d/%d", c.Layout, i), Calls: 10}); err != nil {
			return err
		}
	}
	return nil
}

// taste likes some texts best.
type taste map[string]float64

func (taste) Calls() int { return 3 }

func (r taste) Rank(_ context.Context, texts []Text) ([]float64, error) {
	var scores []float64
	for _, t := range texts {
		scores = append(scores, r[t.Text])
	}
	return scores, nil
}

// TestSearch: every text has its own candidates in every layout, the best is
// taken, the first of equals, and all calls are counted.
func TestSearch(t *testing.T) {
	long := Canvas{IDs: make([]int32, 300), Layout: 1} // two texts a group
	s := Search{
		Writer: clerk{}, Layouts: []Canvas{{IDs: make([]int32, 2)}, long}, Candidates: 3,
		Rank: taste{"0/1": 1, "1/5": 1, "0/4": .5, "1/8": -1, "0/6": -1, "0/7": -1, "0/8": -1, "1/6": -1, "1/7": -2},
	}
	var got []Choice
	err := s.Write(t.Context(), 3, func(c Choice) error {
		c.Canvas = Canvas{}
		got = append(got, c)
		return nil
	})
	want := []Choice{
		{Text: Text{Number: 1, Text: "0/1", Calls: 6 * 13}, Index: 0, Candidate: 1, Of: 6, Score: 1},
		{Text: Text{Number: 5, Text: "1/5", Calls: 6 * 13}, Index: 1, Candidate: 5, Of: 6, Score: 1},
		{Text: Text{Number: 6, Text: "0/6", Calls: 6 * 13}, Index: 2, Candidate: 0, Of: 6, Score: -1},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v; expected %+v", got, err, want)
	}
	full := errors.New("disk full")
	if err := s.Write(t.Context(), 3, func(Choice) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, expected the reader's error", err)
	}
}

// TestSearchOfOne is the writer's text as it is.
func TestSearchOfOne(t *testing.T) {
	s := Search{Writer: clerk{}, Layouts: []Canvas{{}}, Candidates: 1}
	var got []string
	err := s.Write(t.Context(), 2, func(c Choice) error {
		got = append(got, fmt.Sprintf("%d %s, %d of %d for %d calls", c.Index, c.Text.Text, c.Candidate, c.Of, c.Calls))
		return nil
	})
	if err != nil || !slices.Equal(got, []string{"0 0/0, 0 of 1 for 10 calls", "1 0/1, 0 of 1 for 10 calls"}) {
		t.Errorf("got %q, error %v", got, err)
	}
}

// TestConsensus: what was written alike wins, however much of what is given is
// alike.
func TestConsensus(t *testing.T) {
	tok := wild(t, 1).Tokenizer
	text := func(given, written string) Text {
		ids := tok.Encode(nil, given+written)
		c := Canvas{Noisy: make([]bool, len(ids))}
		for i := len(given); i < len(ids); i++ {
			c.Noisy[i] = true
		}
		return Text{IDs: ids, Canvas: c}
	}
	scores, err := Consensus{tok}.Rank(t.Context(), []Text{
		text("one two ", "one two"), text("one two ", "a ship sails"), text("one two ", "the ship sails"), text("one two ", "ships"),
	})
	if err != nil || !(scores[1] > scores[0] && scores[2] > scores[0] && scores[1] > scores[3]) || scores[0] > .1 {
		t.Errorf("scores %.3f, error %v; expected the ships to agree", scores, err)
	}
}

// TestConfidence: a model that knows nothing gives every token 1/V; another one's
// scores depend on the text, and not on cores or batches.
func TestConfidence(t *testing.T) {
	blank := wild(t, 1)
	blank.Model.Init(1)
	blank.Model.Table.Refresh()
	s := sampler(diffusion.Euler)
	rank := func(w *Diffusion, texts []Text) []float64 {
		t.Helper()
		scores, err := w.Confidence().Rank(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	w, err := NewDiffusion(blank, s)
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := Infill(blank.Tokenizer, "it is one [MASK:3-4] or two")
	if err != nil {
		t.Fatal(err)
	}
	write := func(w *Diffusion) (texts []Text) {
		for _, c := range layouts {
			texts = append(texts, collect(t, w, c, 0, 3)...)
		}
		return texts
	}
	for i, score := range rank(w, write(w)) {
		if want := -math.Log(float64(blank.Tokenizer.VocabSize())); math.Abs(score-want) > 1e-5 {
			t.Errorf("text %d: %v nats a token, expected %v", i, score, want)
		}
	}
	if w.Confidence().Calls() != 16 {
		t.Errorf("%d calls a text, expected two at each of 8 levels", w.Confidence().Calls())
	}

	if w, err = NewDiffusion(wild(t, 1), s); err != nil {
		t.Fatal(err)
	}
	texts := write(w)
	want := rank(w, texts)
	if want[0] == want[1] || want[0] == want[3] {
		t.Errorf("scores %v, expected those of other texts to differ", want)
	}
	if w, err = NewDiffusion(wild(t, 3), s); err != nil {
		t.Fatal(err)
	}
	w.batch = 1
	if got := rank(w, texts); !slices.Equal(got, want) {
		t.Errorf("three cores, one text at a time: scores %v, expected %v", got, want)
	}
}
