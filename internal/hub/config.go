package hub

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// ModelType is what config.json calls these models.
const ModelType = "textwarp"

// Config is config.json. Sizes have the names that Hugging Face's library uses.
type Config struct {
	ModelType     string            `json:"model_type"`
	Architectures []string          `json:"architectures"`
	AutoMap       map[string]string `json:"auto_map"`
	DType         string            `json:"dtype"`
	Objective     string            `json:"objective"`

	Vocab      int `json:"vocab_size"`  // rows of table and head, sentinels included
	TextTokens int `json:"text_tokens"` // of these, the tokens that text consists of
	EmbedDim   int `json:"embed_dim"`
	Width      int `json:"hidden_size"`
	Layers     int `json:"num_hidden_layers"`
	Heads      int `json:"num_attention_heads"`
	MLP        int `json:"intermediate_size"`
	TimeWidth  int `json:"time_width"`
	Window     int `json:"window"` // tokens that it was trained on at a time

	Causal           bool  `json:"causal"`
	SelfConditioning bool  `json:"self_conditioning"`
	Warp             *Warp `json:"warp"` // nil where the objective knows no noise

	Training *Training `json:"textwarp"`
}

// Training is what train import goes on from and no other program needs.
type Training struct {
	Settings map[string]any  `json:"settings"`       // that the weights depend on, as in config.toml
	Warp     json.RawMessage `json:"warp,omitempty"` // exact state
}

// trainingSetting tells the settings that belong to weights from those of a place,
// an optimiser or a run.
func trainingSetting(key string) bool {
	section, _, _ := strings.Cut(key, ".")
	return section == "model" || section == "process" || key == "data.length"
}

// newTraining notes what a run was trained with.
func newTraining(m *trainer.Trained) (*Training, error) {
	t := &Training{Settings: map[string]any{}}
	c := m.Config
	c.Process.Objective = cmp.Or(c.Process.Objective, trainer.CDCD) // runs of the first versions name none
	c.Process.Loss = cmp.Or(c.Process.Loss, diffusion.LossCE)
	for key, value := range c.All() {
		if trainingSetting(key) {
			t.Settings[key] = value
		}
	}
	if m.Warp == nil {
		return t, nil
	}
	var err error
	if t.Warp, err = json.Marshal(m.Warp); err != nil {
		return nil, fmt.Errorf("encode warp: %w", err)
	}
	return t, nil
}

// Warp is the learned warp at its nodes: u = CDF[i] at the noise level T[i].
// Between two nodes u is linear in t or, with the interpolation "log", in ln t.
type Warp struct {
	Kind          string    `json:"kind"`
	Interpolation string    `json:"interpolation"` // "log" or "linear"
	T             []float64 `json:"t"`
	CDF           []float64 `json:"cdf"`
}

// newConfig describes a model.
func newConfig(m *trainer.Trained) Config {
	d := m.Config.Denoiser(m.Tokenizer.VocabSize())
	c := Config{
		ModelType: ModelType, Architectures: []string{"TextwarpModel"}, DType: "float32", Objective: trainer.CDCD,
		AutoMap: map[string]string{
			"AutoConfig": "modeling_textwarp.TextwarpConfig", "AutoModel": "modeling_textwarp.TextwarpModel",
		},
		Vocab: d.Vocab, TextTokens: d.Vocab, EmbedDim: d.EmbedDim, Width: d.Width, Layers: d.Layers, Heads: d.Heads, MLP: d.MLP,
		TimeWidth: timeWidth(m), Window: m.Config.Data.Length, Causal: d.Causal,
	}
	if m.Config.Process.Objective == trainer.AR {
		c.Objective = trainer.AR
		if m.Config.Process.FIM > 0 {
			c.TextTokens -= autoregressive.NumSentinels
		}
		return c
	}
	c.SelfConditioning = m.Config.Process.SelfConditioning > 0
	c.Warp = newWarp(m.Warp)
	return c
}

// timeWidth is the width of the time features, twice the frequencies.
func timeWidth(m *trainer.Trained) int {
	for _, t := range m.Model.Tensors(m.Model.Params, "") {
		if t.Name == "time.frequencies" {
			return 2 * t.Shape[0]
		}
	}
	return 0
}

// Fixed schedules are tabulated so finely that half-way between two nodes t is
// off by less than a share of warpError, in pieces of u no shorter than
// warpPiece.
const (
	warpError = 1e-6
	warpPiece = 1e-7
)

// newWarp tabulates a warp. Learned ones are polylines, which their nodes give
// exactly.
func newWarp(w timewarp.Warp) *Warp {
	s := w.Snapshot()
	out := &Warp{Kind: s.Kind, Interpolation: "log", T: s.T, CDF: s.CDF}
	switch s.Kind {
	case timewarp.KindOnline:
	case timewarp.KindPaper, timewarp.KindUniform:
		out.Interpolation = "linear"
	default:
		out.T, out.CDF = []float64{w.Quantile(0)}, []float64{0}
		const pieces = 16
		for i := range pieces {
			out.tabulate(w, float64(i+1)/pieces)
		}
	}
	return out
}

// tabulate adds the nodes from the last one to u.
func (w *Warp) tabulate(schedule timewarp.Warp, u float64) {
	last := len(w.T) - 1
	from, t := w.CDF[last], schedule.Quantile(u)
	half := (from + u) / 2
	if mid := schedule.Quantile(half); u-from > warpPiece && math.Abs(math.Sqrt(w.T[last]*t)-mid) > warpError*mid {
		w.tabulate(schedule, half)
		w.tabulate(schedule, u)
		return
	}
	w.T, w.CDF = append(w.T, t), append(w.CDF, u)
}

// Quantile is the noise level at u, as the folder's reader finds it.
func (w *Warp) Quantile(u float64) float64 {
	last := len(w.T) - 1
	switch {
	case u <= 0:
		return w.T[0]
	case u >= 1:
		return w.T[last]
	}
	k, _ := slices.BinarySearch(w.CDF, u)
	k = max(k-1, 0)
	share := (u - w.CDF[k]) / (w.CDF[k+1] - w.CDF[k])
	if w.Interpolation == "log" {
		a, b := math.Log(w.T[k]), math.Log(w.T[k+1])
		return math.Exp(a + (b-a)*share)
	}
	return w.T[k] + (w.T[k+1]-w.T[k])*share
}
