package eval

import (
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Report is what is found out about a run.
type Report struct {
	Schema     int    `json:"schema"`
	View       string `json:"view"`
	Run        string `json:"run"`
	Step       int    `json:"step"`
	Objective  string `json:"objective"`
	Parameters int    `json:"parameters"`
	Seed       uint64 `json:"seed"` // of windows, masks, noise and samples

	HeldOut      Text                  `json:"held_out"`
	Likelihood   Likelihood            `json:"likelihood"`
	CrossEntropy []*trainer.Evaluation `json:"cross_entropy"` // by noise level, under masks as trained and none
	Consistency  *Consistency          `json:"consistency"`   // of a bound
	Judges       Judges                `json:"judges"`
	Sources      []Source              `json:"sources"` // real text first, then the run, then the second judge
	Infilling    []Infilling           `json:"infilling"`
}

// Text is the held-out text that was looked at.
type Text struct {
	Data       string `json:"data"` // directory or address of shards
	Split      string `json:"split"`
	Windows    int    `json:"windows"`
	Length     int    `json:"length"` // tokens a window
	Tokens     int    `json:"tokens"`
	Characters int    `json:"characters"`
	Bytes      int    `json:"bytes"`
}

// Likelihood is the negative log-likelihood of the held-out windows, each on its
// own. The end of a document is a token without a character. Errors are over
// windows.
type Likelihood struct {
	Kind      string           `json:"kind"`           // "bound" (from above) or "exact"
	Token     judge.Estimate   `json:"nats_token"`     // nats a token
	Character judge.Estimate   `json:"nats_character"` // nats a character
	Byte      judge.Estimate   `json:"bits_byte"`      // bits a byte of UTF-8
	Bound     *diffusion.Bound `json:"bound"`          // the terms of a bound, nats a token
	Draws     int              `json:"draws"`          // noise levels a window, of a bound

	// AfterFirst is nats a token of all but the first of each window, which has
	// nothing before it: what a next-token loss commonly is. Exact likelihoods only.
	AfterFirst *judge.Estimate `json:"after_first"`
}

// Consistency is the check of a bound, see [diffusion.Slopes].
type Consistency struct {
	diffusion.Slopes
	Below   int     `json:"below"`   // levels whose gap is below zero by more than three errors
	Context float64 `json:"context"` // CE(t_max) - CE(bound's lowest level) - diffusion term: the area of the gap above that level
}

// Judges says who judged.
type Judges struct {
	Training *TrainingText `json:"kneser_ney"` // nil without a training text
	Second   string        `json:"second"`     // the run of the second judge, if there is one
}

// TrainingText is what the counting judge knows.
type TrainingText struct {
	Data       string `json:"data"`
	Order      int    `json:"order"`
	Characters int    `json:"characters"`
	Whole      bool   `json:"whole"` // all of the text, and not only its beginning
}

// Source is where texts come from and what the judges say of them.
type Source struct {
	Name     string       `json:"source"`
	Sampling *Sampling    `json:"sampling"` // nil for text that nobody sampled
	Samples  int          `json:"samples"`
	Score    *judge.Score `json:"score"` // by the counting judge; nil without a training text
	Second   *judge.Pair  `json:"second"`
	Examples []string     `json:"examples"` // the first texts
}

// Sampling is how texts were made.
type Sampling struct {
	Sampler      string  `json:"sampler"`
	Steps        int     `json:"steps"`
	Calls        int     `json:"network_calls"` // a text
	Temperature  float64 `json:"temperature"`
	Exact        bool    `json:"exact"`
	Guidance     float64 `json:"guidance,omitempty"`      // of diffusion
	InitialNoise float64 `json:"initial_noise,omitempty"` // of diffusion
	TopP         float64 `json:"top_p,omitempty"`         // of next-token prediction
	Seed         uint64  `json:"seed"`
}

// Infilling is how often what was cut out of held-out text is put back exactly.
type Infilling struct {
	Source     string         `json:"source"`
	Sampling   *Sampling      `json:"sampling"`
	Share      float64        `json:"share"` // of the tokens of a window that are cut out
	Windows    int            `json:"windows"`
	Spans      int            `json:"spans"`
	Characters int            `json:"characters"`
	Span       judge.Estimate `json:"span"`      // share of spans that are right as a whole
	Character  judge.Estimate `json:"character"` // share of characters that are right
}
