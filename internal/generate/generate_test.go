package generate

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// wild is a small model of random weights: what it writes depends on all that it
// is shown.
func wild(t *testing.T, cores int) *trainer.Trained {
	t.Helper()
	c, err := trainer.Preset("nano")
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Length = 12
	c.Model = trainer.ModelConfig{EmbedDim: 8, Width: 16, Layers: 2, Heads: 2, MLP: 32}
	tok, err := tokenize.TrainChar(slices.Values([]string{"abcdefghijklmnopqrstuvwxyz ."}))
	if err != nil {
		t.Fatal(err)
	}
	warp, err := timewarp.NewFixed(timewarp.KindKarras, c.Process.TMin, c.Process.TMax)
	if err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(cores)
	t.Cleanup(pool.Close)
	model, err := trainer.NewModel(c.Model.Denoiser(tok.VocabSize()), nil, false, pool)
	if err != nil {
		t.Fatal(err)
	}
	r := rng.New(3, "test", 0, 0)
	r.FillNormal(model.Params)
	for i := range model.Params {
		model.Params[i] *= .3
	}
	model.Table.Refresh()
	return &trainer.Trained{Config: c, Model: model, Warp: warp, Tokenizer: tok}
}

func sampler(method string) diffusion.Sampler {
	return diffusion.Sampler{Steps: 4, Method: method, Guidance: 1, Temperature: .9, InitialNoise: 1, Seed: 5}
}

func collect(t *testing.T, w Writer, c Canvas, first, n int) []Text {
	t.Helper()
	texts, err := Collect(t.Context(), w, c, first, n)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestTextsStandAlone: a text is the same on one core and on three, alone, in
// batches of any size, and whatever was written before it.
func TestTextsStandAlone(t *testing.T) {
	one, three := wild(t, 1), wild(t, 3)
	for _, method := range []string{diffusion.Euler, diffusion.Heun, diffusion.Ancestral} {
		for _, guidance := range []float64{1, 2} {
			s := sampler(method)
			s.Guidance = guidance
			w, err := NewDiffusion(one, s)
			if err != nil {
				t.Fatal(err)
			}
			layouts, err := Infill(one.Tokenizer, "one [MASK:3] two[MASK:4]")
			if err != nil {
				t.Fatal(err)
			}
			c := layouts[0]
			want := collect(t, w, c, 0, 7)
			if slices.Equal(want[0].Prob, want[1].Prob) {
				t.Fatalf("%s: two texts are the same: %q with confidences %v", method, want[0].Text, want[0].Prob)
			}
			for _, batch := range []int{1, 2 * len(c.IDs), 1000} {
				w, err := NewDiffusion(three, s)
				if err != nil {
					t.Fatal(err)
				}
				w.batch = batch
				collect(t, w, Blank(5), 0, 2)
				if got := collect(t, w, c, 0, 7); !reflect.DeepEqual(got, want) {
					t.Errorf("%s, guidance %v, batches of %d tokens, 3 cores: another text", method, guidance, batch)
				}
				if got := collect(t, w, c, 4, 2); !reflect.DeepEqual(got, want[4:6]) {
					t.Errorf("%s, guidance %v, batches of %d tokens: texts 4 and 5 differ when written alone", method, guidance, batch)
				}
			}
		}
	}
}

// TestGivenStays: what the canvas has is in the text, and what was written is
// marked.
func TestGivenStays(t *testing.T) {
	model := wild(t, 1)
	w, err := NewDiffusion(model, sampler(diffusion.Heun))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Prompt(model.Tokenizer, "abc", 8)
	if err != nil {
		t.Fatal(err)
	}
	got := collect(t, w, c, 0, 1)[0]
	if !strings.HasPrefix(got.Text, "abc") || !slices.Equal(got.Canvas.Noisy, []bool{false, false, false, true, true, true, true, true}) {
		t.Errorf("%q with %v written, expected abc and five tokens", got.Text, got.Canvas.Noisy)
	}
	for i, p := range got.Prob {
		if given := !got.Canvas.Noisy[i]; given != (p == 1) {
			t.Errorf("token %d, given %v, has confidence %v", i, given, p)
		}
	}
	if got.Calls != 9 {
		t.Errorf("%d network calls for 4 steps of Heun, expected 9", got.Calls)
	}
}

// TestWriteEnds: with the context, and with the reader's error.
func TestWriteEnds(t *testing.T) {
	w, err := NewDiffusion(wild(t, 1), sampler(diffusion.Euler))
	if err != nil {
		t.Fatal(err)
	}
	w.batch = 1
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err = w.Write(ctx, Blank(4), 0, 9, func(Text) error { seen++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || seen != 1 {
		t.Errorf("%d texts and %v after the context had ended", seen, err)
	}
	full := errors.New("disk full")
	if err := w.Write(t.Context(), Blank(4), 0, 9, func(Text) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, expected the reader's error", err)
	}
}
