package inspect

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// tensor is the table in a checkpoint: the averaged one, which sampling uses.
const tensor = "ema.embeddings.weight"

// Embeddings is the view `inspect embeddings`.
type Embeddings struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`
	Run    string `json:"run"`
	Step   int    `json:"step"`

	Stats      embeddings.Stats `json:"stats"`
	Tokens     []Token          `json:"tokens"`
	Explained  []float64        `json:"pca_explained"` // share of the variance along x and y
	Neighbours []Neighbourhood  `json:"neighbours"`

	Table   *embeddings.Table `json:"-"`
	Skipped []string          `json:"-"` // newer checkpoints that are not whole, with the reasons

	counted   bool // frequencies are known
	tokenizer *tokenize.Tokenizer
}

// Token is a row of the table.
type Token struct {
	ID    int32   `json:"id"`
	Text  string  `json:"token"`
	Norm  float64 `json:"raw_norm"`
	Count *int64  `json:"count,omitempty"` // in the training shards, if they were given
	X     float64 `json:"x"`               // principal components
	Y     float64 `json:"y"`
}

// Neighbourhood lists the tokens nearest to one.
type Neighbourhood struct {
	ID         int32       `json:"id"`
	Text       string      `json:"token"`
	Neighbours []Neighbour `json:"neighbours"`
}

type Neighbour struct {
	embeddings.Neighbour
	Text string `json:"token"`
}

// ReadEmbeddings reads the newest whole checkpoint of a run and studies its
// table.
func ReadEmbeddings(dir string) (*Embeddings, error) {
	r, err := read(dir)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Embeddings()
}

// Embeddings studies the table of the run's newest whole checkpoint: seconds of
// work for a large one.
func (r *Run) Embeddings() (*Embeddings, error) {
	config, err := r.Config()
	if err != nil {
		return nil, err
	}
	tok, err := r.Tokenizer()
	if err != nil {
		return nil, err
	}
	if _, err := r.Checkpoint(); err != nil {
		return nil, err
	}
	dir, step, skipped, err := checkpoint.Latest(r.dir)
	if err != nil {
		return nil, err
	}
	table, err := readTable(filepath.Join(dir, checkpoint.WeightsFile), config.Denoiser(tok.VocabSize()).Vocab, config.Model.EmbedDim)
	if err != nil {
		return nil, err
	}
	v := &Embeddings{
		Schema: 1, View: "embeddings", Run: r.dir, Step: step, Neighbours: []Neighbourhood{}, Skipped: skipped,
		Table: table, tokenizer: tok,
	}
	if v.Stats, err = table.Stats(config.Run.Seed); err != nil {
		return nil, fmt.Errorf("checkpoint %q: %w (%w)", dir, err, safeio.ErrCorrupt)
	}
	return v, v.addTokens()
}

// readTable reads the averaged table [vocab, dim] of a checkpoint.
func readTable(path string, vocab, dim int) (*embeddings.Table, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	shape := f.Shape(tensor)
	if !slices.Equal(shape, []int{vocab, dim}) {
		return nil, fmt.Errorf("table %q of %q has shape %v, tokenizer and configuration of the run want [%d %d]: %w",
			tensor, path, shape, vocab, dim, safeio.ErrMismatch)
	}
	w := make([]float32, shape[0]*shape[1])
	if err := f.Read(tensor, w); err != nil {
		return nil, err
	}
	t, err := embeddings.New(shape[0], shape[1], w, nil)
	if err != nil {
		return nil, err
	}
	t.Refresh()
	return t, nil
}

// addTokens lists the rows with their place in the projection.
func (v *Embeddings) addTokens() error {
	t, tok := v.Table, v.tokenizer
	k := min(2, t.D)
	p, err := t.PCA(k)
	if err != nil {
		return err
	}
	v.Explained = p.Explained
	v.Tokens = make([]Token, t.V)
	sentinels := autoregressive.NewFIM(tok.VocabSize())
	for i, norm := range t.RawNorms() {
		id := int32(i)
		row := Token{ID: id, Text: cmp.Or(sentinels.Name(id), tok.Token(id)), Norm: norm, X: p.Points[i*k]}
		if k > 1 {
			row.Y = p.Points[i*k+1]
		}
		v.Tokens[i] = row
	}
	return nil
}

// AddCounts says how often each token stands in the training split of a
// directory of shards. Shards of another tokenizer are [safeio.ErrMismatch].
func (v *Embeddings) AddCounts(ctx context.Context, dir string) error {
	s, err := ReadShards(ctx, dir, 0)
	if err != nil {
		return err
	}
	return v.Count(s)
}

// Count takes the counts of shards that have been read.
func (v *Embeddings) Count(s *Shards) error {
	if got := s.tokenizer; got != v.tokenizer.Hash() {
		return fmt.Errorf("shards %q were made with another tokenizer (%.12s) than the run (%.12s): %w", s.Dir, got, v.tokenizer.Hash(), safeio.ErrMismatch)
	}
	for i := range v.Tokens {
		var n int64 // of the sentinels behind the vocabulary
		if i < len(s.Counts) {
			n = s.Counts[i]
		}
		v.Tokens[i].Count = &n
	}
	v.counted = true
	return nil
}

// First is the view of some of the tokens, those with the given ids.
func (v *Embeddings) First(ids []int32) *Embeddings {
	some := *v
	some.Tokens = make([]Token, len(ids))
	for i, id := range ids {
		some.Tokens[i] = v.Tokens[id]
	}
	return &some
}

// AddNeighbours lists the k tokens nearest to the one that text names: the token
// of that text, or the one with an id, "#17".
func (v *Embeddings) AddNeighbours(text string, k int) error {
	id, err := v.find(text)
	if err != nil {
		return err
	}
	near, err := v.Table.Neighbours(id, min(k, v.Table.V-1))
	if err != nil {
		return err
	}
	n := Neighbourhood{ID: id, Text: v.Tokens[id].Text, Neighbours: []Neighbour{}}
	for _, other := range near {
		n.Neighbours = append(n.Neighbours, Neighbour{other, v.Tokens[other.ID].Text})
	}
	v.Neighbours = append(v.Neighbours, n)
	return nil
}

func (v *Embeddings) find(text string) (int32, error) {
	var id int32
	if n, err := fmt.Sscanf(text, "#%d", &id); n == 1 && err == nil && fmt.Sprintf("#%d", id) == text {
		if id < 0 || int(id) >= len(v.Tokens) {
			return 0, fmt.Errorf("there is no token #%d: ids are 0 to %d", id, len(v.Tokens)-1)
		}
		return id, nil
	}
	for _, t := range v.Tokens {
		if t.Text == text {
			return t.ID, nil
		}
	}
	ids := v.tokenizer.Encode(nil, text)
	if len(ids) == 1 {
		return ids[0], nil
	}
	return 0, fmt.Errorf("%q is not one token of this vocabulary but %d", text, len(ids))
}
