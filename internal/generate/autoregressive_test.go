package generate

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// wildAR is wild for the objective "ar".
func wildAR(t *testing.T, cores int, fim float64) *trainer.Trained {
	t.Helper()
	m := wild(t, cores)
	m.Config.Process.Objective, m.Config.Process.FIM, m.Warp = trainer.AR, fim, nil
	pool := kernels.NewPool(cores)
	t.Cleanup(pool.Close)
	var err error
	if m.Model, err = trainer.NewModel(m.Config.Denoiser(m.Tokenizer.VocabSize()), nil, false, pool); err != nil {
		t.Fatal(err)
	}
	r := rng.New(3, "test", 0, 0)
	r.FillNormal(m.Model.Params)
	for i := range m.Model.Params {
		m.Model.Params[i] *= .3
	}
	m.Model.Table.Refresh()
	return m
}

func predictor(t *testing.T, m *trainer.Trained) *Autoregressive {
	t.Helper()
	w, err := NewAutoregressive(m, autoregressive.Sampler{Temperature: 1, TopP: .95, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestPredictedTextsStandAlone: a text is the same on one core and on three,
// alone, in batches of any size, and whatever was written before it.
func TestPredictedTextsStandAlone(t *testing.T) {
	one, three := predictor(t, wildAR(t, 1, .5)), predictor(t, wildAR(t, 3, .5))
	prompt, err := Prompt(one.model.Tokenizer, "to be", 20)
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := Infill(one.model.Tokenizer, "one [MASK:9] two")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Canvas{"blank": Blank(12), "prompt": prompt, "hole": layouts[0]} {
		all := collect(t, three, c, 0, textsAtOnce+3)
		for _, i := range []int{0, 5, textsAtOnce + 1} {
			if alone := collect(t, one, c, i, 1)[0]; !reflect.DeepEqual(alone, all[i]) {
				t.Errorf("%s: text %d is %q in a batch, %q alone", name, i, all[i].Text, alone.Text)
			}
		}
		for _, text := range all {
			from, to := c.gap()
			after := len(c.IDs) - to
			if !slices.Equal(text.IDs[:from], c.IDs[:from]) || !slices.Equal(text.IDs[len(text.IDs)-after:], c.IDs[to:]) {
				t.Errorf("%s: %q has lost what was given", name, text.Text)
			}
			if len(text.IDs) > len(c.IDs) || name != "hole" && len(text.IDs) < len(c.IDs) {
				t.Errorf("%s: %d tokens on a canvas of %d", name, len(text.IDs), len(c.IDs))
			}
			for i, noisy := range text.Canvas.Noisy {
				if given := i < from || i >= len(text.IDs)-after; noisy == given || given && text.Prob[i] != 1 {
					t.Fatalf("%s: token %d is given: %v, noisy: %v, with probability %g", name, i, given, noisy, text.Prob[i])
				}
			}
		}
	}
}

func TestWhatARunCannotFill(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		fim  float64
		want string
	}{
		"two holes":   {"a[MASK:2]b[MASK:2]c", .5, "more than one hole"},
		"without fim": {"a[MASK:2]b", 0, "has not learned to fill holes"},
	} {
		t.Run(name, func(t *testing.T) {
			w := predictor(t, wildAR(t, 1, c.fim))
			layouts, err := Infill(w.model.Tokenizer, c.text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Collect(t.Context(), w, layouts[0], 0, 1); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := NewAutoregressive(wild(t, 1), autoregressive.Sampler{Temperature: 1, TopP: 1}); err == nil {
		t.Error("a run of diffusion writes from left to right")
	}
	if _, err := NewDiffusion(wildAR(t, 1, 0), sampler("euler")); err == nil {
		t.Error("a run of next tokens denoises")
	}
}
