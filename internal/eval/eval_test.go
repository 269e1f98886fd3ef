package eval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// verses are many documents, all different, of few words.
func verses() string {
	var b strings.Builder
	nouns := strings.Fields("cat dog hen cow mat log sun sea")
	for _, who := range nouns {
		for _, where := range nouns {
			fmt.Fprintf(&b, "the %s sat on the %s.\n\n", who, where)
		}
	}
	return b.String()
}

// shards prepares a small corpus with a character vocabulary and a val split.
func shards(t *testing.T) string {
	t.Helper()
	dir, text := t.TempDir(), verses()
	corpus := filepath.Join(dir, "corpus.txt")
	if err := os.WriteFile(corpus, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenize.TrainChar(slices.Values([]string{text}))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "shards")
	_, _, err = pipeline.Shard(t.Context(), pipeline.Options{
		Sources: []string{corpus}, Out: out, Split: pipeline.SplitBlank, Workers: 1, Val: .2, Encoder: tok, TokenizerJSON: tok.JSON(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tinyRun trains for a moment.
func tinyRun(t *testing.T, set map[string]string) string {
	t.Helper()
	s, err := trainer.NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		"data.length": "16", "run.steps": "30", "optim.batch": "4", "optim.micro_batch": "4",
		"model.embed_dim": "8", "model.width": "16", "model.layers": "1", "model.heads": "2", "model.mlp": "32",
	}
	for key, value := range set {
		values[key] = value
	}
	for key, value := range values {
		if err := s.Set(key, value, "test"); err != nil {
			t.Fatal(err)
		}
	}
	data, err := trainer.OpenData(s.Config, strings.NewReader(verses()))
	if err != nil {
		t.Fatal(err)
	}
	pool := kernels.NewPool(1)
	defer pool.Close()
	run := filepath.Join(t.TempDir(), "run")
	tr, err := trainer.Start(run, s, data, trainer.Options{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return run
}

func load(t *testing.T, run string, cores int) *trainer.Trained {
	t.Helper()
	pool := kernels.NewPool(cores)
	t.Cleanup(pool.Close)
	m, err := trainer.Load(run, pool)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func options() Options {
	return Options{Windows: 12, Samples: 5, Sampler: diffusion.Sampler{
		Steps: 3, Method: diffusion.Euler, Guidance: 1, Temperature: .9, InitialNoise: 1, Seed: 4,
	}}
}

// TestEvaluate: the parts of a report agree with one another and with what they
// are made of, and no figure depends on the number of cores.
func TestEvaluate(t *testing.T) {
	stream := shards(t)
	run := tinyRun(t, map[string]string{"data.stream": stream})
	ar := tinyRun(t, map[string]string{"data.stream": stream, "process.objective": trainer.AR, "process.fim": "0.5"})
	o := options()
	o.Second = &Run{"ar", load(t, ar, 1)}
	r, err := Evaluate(t.Context(), Run{run, load(t, run, 1)}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if h := r.HeldOut; h.Windows != 12 || h.Tokens != 12*16 || h.Split != "val" || h.Bytes > h.Tokens || h.Bytes != h.Characters {
		t.Errorf("held-out text %+v of 12 windows of 16 ASCII characters", h)
	}
	l := r.Likelihood
	if d := l.Token.Value - l.Bound.Nats; math.Abs(d) > 1e-9 || math.Abs(l.Token.StdErr-l.Bound.StdErr) > 1e-9 {
		t.Errorf("nats a token %+v are not the bound %g ± %g", l.Token, l.Bound.Nats, l.Bound.StdErr)
	}
	total := l.Token.Value * float64(r.HeldOut.Tokens)
	if got := l.Byte.Value * float64(r.HeldOut.Bytes) * math.Ln2; math.Abs(got-total) > 1e-9*total {
		t.Errorf("bits a byte are %g nats in all, nats a token %g", got, total)
	}
	// In a moment nothing is learned: the loss at the highest level is near that of
	// a uniform guess, the reconstruction far from it.
	none := r.CrossEntropy[1]
	if none.Mask != "none" || none.T[0] != .2 || none.T[len(none.T)-1] != 50 || !slices.Contains(none.T, 2) {
		t.Errorf("cross-entropy under mask %s at %v", none.Mask, none.T)
	}
	lowest := slices.Index(none.T, l.Bound.From)
	if lowest < 0 {
		t.Fatalf("the bound begins at %g, which is none of the levels %v", l.Bound.From, none.T)
	}
	if c := r.Consistency; len(c.T) != len(none.T)-2 || c.Context != none.CE[len(none.CE)-1]-none.CE[lowest]-l.Bound.Diffusion {
		t.Errorf("context is worth %g, of cross-entropies %v and a diffusion term of %g", c.Context, none.CE, l.Bound.Diffusion)
	}
	real, own := r.Sources[0], r.Sources[1]
	if real.Name != "real text" || real.Sampling != nil || real.Score.Known.Value != 1 || real.Samples != own.Samples {
		t.Errorf("real text: %+v", real)
	}
	if own.Sampling.Calls != 4 || own.Score.NLL.Value <= real.Score.NLL.Value {
		t.Errorf("%d calls of 3 steps; nll %g, of real text %g", own.Sampling.Calls, own.Score.NLL.Value, real.Score.NLL.Value)
	}
	if in := r.Infilling[0]; in.Windows != 5 || in.Characters < 5 || in.Character.Value > 1 {
		t.Errorf("infilling %+v", in)
	}
	checkKeys(t, r)
	if s := r.Sources[2]; len(r.Sources) != 3 || s.Name != "AR" || s.Sampling.TopP != 1 || s.Sampling.Calls != 16 || s.Second.Judge != "ar" || s.Second.Tokens != 5*16 {
		t.Errorf("the second judge's texts: %+v, sampling %+v, pair %+v", s, s.Sampling, s.Second)
	}
	if len(r.Infilling) != 2 || r.Infilling[1].Spans != r.Infilling[0].Spans {
		t.Errorf("infilling %+v", r.Infilling)
	}
	o.Second = &Run{"ar", load(t, ar, 3)}
	again, err := Evaluate(t.Context(), Run{run, load(t, run, 3)}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, again) {
		t.Error("three cores find another report than one")
	}
}

// TestEvaluatePrediction: a run of next-token prediction has an exact likelihood,
// the one that it gives real text as a judge.
func TestEvaluatePrediction(t *testing.T) {
	run := tinyRun(t, map[string]string{"data.stream": shards(t), "process.objective": trainer.AR})
	m := load(t, run, 1)
	o := options()
	o.Samples, o.Second = o.Windows, &Run{run, m}
	r, err := Evaluate(t.Context(), Run{run, m}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := r.Likelihood
	if l.Kind != "exact" || l.Bound != nil || r.Consistency != nil || len(r.CrossEntropy) != 0 || r.Objective != trainer.AR {
		t.Errorf("likelihood %+v, consistency %v", l, r.Consistency)
	}
	if got := r.Sources[0].Second.NLL; math.Abs(got.Value-l.Token.Value) > 1e-9 || math.Abs(got.StdErr-l.Token.StdErr) > 1e-9 {
		t.Errorf("real text has %+v nats a token by the judge, which is the run itself, and %+v by the run", got, l.Token)
	}
	if l.AfterFirst == nil || l.AfterFirst.Value == l.Token.Value || math.Abs(l.AfterFirst.Value-l.Token.Value) > .5*l.Token.Value {
		t.Errorf("%+v nats after the first token, %+v in all", l.AfterFirst, l.Token)
	}
	if len(r.Infilling) != 0 {
		t.Errorf("a run that has not learned to fill holes fills %d", len(r.Infilling))
	}
	cdcd := load(t, tinyRun(t, map[string]string{"data.stream": shards(t)}), 1)
	o.Second = &Run{"cdcd", cdcd}
	if _, err := Evaluate(t.Context(), Run{run, m}, o, nil); err == nil || !strings.Contains(err.Error(), "exact likelihood") {
		t.Errorf("a run of diffusion as the judge: %v", err)
	}
}

// TestJudgeOfAnyLength: a long text is scored in windows, and what fills up a short
// one counts nothing.
func TestJudgeOfAnyLength(t *testing.T) {
	m := load(t, tinyRun(t, map[string]string{"data.stream": shards(t), "process.objective": trainer.AR}), 1)
	p, err := newSecond("ar", m, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.batch = 3
	ids := m.Tokenizer.Encode(nil, "the cat sat on the mat. the dog sat on the log.")
	nats, err := p.NLL(t.Context(), [][]int32{ids, ids[:16], ids[16:32], ids[32:], nil, ids[:5]})
	if err != nil {
		t.Fatal(err)
	}
	if sum := nats[1] + nats[2] + nats[3]; math.Abs(nats[0]-sum) > 1e-4 {
		t.Errorf("a text of %d tokens has %g nats, its windows of 16 have %g", len(ids), nats[0], sum)
	}
	nll := make([]float32, 16)
	p.objective.NLL(nll, ids[:16])
	var head float64
	for _, v := range nll[:5] {
		head += float64(v)
	}
	if nats[4] != 0 || math.Abs(nats[5]-head) > 1e-4 {
		t.Errorf("no text has %g nats; 5 tokens %g, in front of others %g", nats[4], nats[5], head)
	}
}

// TestTexts: what is judged and what judges can be named, and must be where there
// is none.
func TestTexts(t *testing.T) {
	piped := load(t, tinyRun(t, map[string]string{"data.stream": "-"}), 1)
	o := options()
	if _, err := Evaluate(t.Context(), Run{"run", piped}, o, nil); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("a run without held-out text: %v", err)
	}
	stream := shards(t)
	o.HeldOut = stream
	if _, err := Evaluate(t.Context(), Run{"run", piped}, o, nil); !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("held-out text of another tokenizer: %v", err)
	}
	m := load(t, tinyRun(t, map[string]string{"data.stream": stream}), 1)
	o = options()
	o.Text = filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(o.Text, []byte("the hen and the cow."), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Evaluate(t.Context(), Run{"run", m}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j := r.Judges.Training; j.Data != o.Text || j.Characters != 20 || !j.Whole {
		t.Errorf("the judge learned from %+v", j)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Evaluate(ctx, Run{"run", m}, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, expected cancellation", err)
	}
}

func TestHoles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(2, 300).Draw(t, "length")
		s := rng.New(rapid.Uint64().Draw(t, "seed"), "test", 0, 0)
		cut, tokens, end := holes(length, &s), 0, -1
		for _, h := range cut {
			if h.begin <= end || h.end <= h.begin || h.end > length || h.end-h.begin > holeLength {
				t.Fatalf("spans %v of %d tokens", cut, length)
			}
			tokens, end = tokens+h.end-h.begin, h.end
		}
		if want := max(1, int(holeShare*float64(length))); tokens != want {
			t.Fatalf("%d tokens are cut out of %d, want %d", tokens, length, want)
		}
	})
}

// TestInfillCounts: who knows the text has all, who shifts it by a letter nothing.
func TestInfillCounts(t *testing.T) {
	tok, err := tokenize.TrainChar(slices.Values([]string{"abcdefgh"}))
	if err != nil {
		t.Fatal(err)
	}
	h := &heldOut{tok: tok, Text: Text{Windows: 6, Length: 40}}
	for len(h.ids) < h.Windows*h.Length {
		h.ids = tok.Encode(h.ids, "abcdefgh")
	}
	for name, c := range map[string]struct {
		shift           int32
		span, character float64
	}{"the truth": {0, 1, 1}, "another letter": {1, 0, 0}} {
		got, err := infill(t.Context(), h, 100, 1, func(_ context.Context, ids []int32, holes []span, _ int) ([]int32, error) {
			filled := slices.Clone(ids)
			for _, hole := range holes {
				for i := hole.begin; i < hole.end; i++ {
					filled[i] = ids[(i+int(c.shift))%len(ids)]
				}
			}
			return filled, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.Windows != 6 || got.Characters != 36 || got.Span != (judge.Estimate{Value: c.span}) || got.Character != (judge.Estimate{Value: c.character}) {
			t.Errorf("%s: %+v; want %g of spans and %g of 36 characters", name, got, c.span, c.character)
		}
	}
	for _, c := range []struct {
		want, got  string
		right, all float64
	}{{"abc", "abd", 2, 3}, {"abc", "ab", 2, 3}, {"ab", "xabc", 0, 2}, {"", "a", 0, 0}} {
		if right, all := matches([]rune(c.want), []rune(c.got)); right != c.right || all != c.all {
			t.Errorf("%q for %q: %g of %g right", c.got, c.want, right, all)
		}
	}
}

// TestUnits: two-byte characters have half the bits a byte; the end of a document
// is a token and no text.
func TestUnits(t *testing.T) {
	tok, err := tokenize.TrainChar(slices.Values([]string{"é"}))
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode(nil, "ééé")
	ids = append(ids, tok.EOS())
	h := &heldOut{tok: tok, Text: Text{Windows: 2, Length: 4}, ids: slices.Concat(ids, ids)}
	l := newLikelihood(h, []float64{3, 3})
	if l.Token.Value != 3 || l.Character.Value != 4 || math.Abs(l.Byte.Value-2/math.Ln2) > 1e-12 {
		t.Errorf("3 nats a token: got %g a token, %g a character, %g bits a byte; want 3, 4, %g", l.Token.Value, l.Character.Value, l.Byte.Value, 2/math.Ln2)
	}
}

func TestHalfOctaves(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{1, 4, []float64{1, math.Sqrt2, 2, 2 * math.Sqrt2, 4}},
		{.9, 2.05, []float64{.9, 1, math.Sqrt2, 2.05}},
		{3, 3.5, []float64{3, 3.5}},
	} {
		got := halfOctaves(c.low, c.high)
		ok := len(got) == len(c.want)
		for i := range got {
			ok = ok && math.Abs(got[i]-c.want[i]) < 1e-12
		}
		if !ok {
			t.Errorf("from %g to %g: %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

// checkKeys compares the keys of a report's JSON with those that it was
// published with. UPDATE_KEYS=1 publishes others.
func checkKeys(t *testing.T, r *Report) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	walk(tree, "", found)
	got := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	const golden = "testdata/keys"
	if os.Getenv("UPDATE_KEYS") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the keys of the JSON are\n%swant those of %s", got, golden)
	}
}

// walk collects the paths of all leaves.
func walk(v any, path string, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			walk(child, strings.TrimPrefix(path+"."+key, "."), found)
		}
	case []any:
		for _, child := range v {
			walk(child, path+"[]", found)
		}
	default:
		found[path] = true
	}
}
