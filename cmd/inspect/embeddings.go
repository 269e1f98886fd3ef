package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// tensor is the table in a checkpoint: the averaged one, which sampling uses.
const tensor = "ema.embeddings.weight"

// embeddingsView is `inspect embeddings`.
type embeddingsView struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`
	Run    string `json:"run"`
	Step   int    `json:"step"`

	Stats      embeddings.Stats    `json:"stats"`
	Tokens     []tokenView         `json:"tokens"`
	Explained  []float64           `json:"pca_explained"` // share of the variance along x and y
	Neighbours []neighbourhoodView `json:"neighbours"`

	counted bool // frequencies are known
	table   *embeddings.Table
}

// tokenView is a row of the table.
type tokenView struct {
	ID    int32   `json:"id"`
	Text  string  `json:"token"`
	Norm  float64 `json:"raw_norm"`
	Count *int64  `json:"count,omitempty"` // in the training shards, if they were given
	X     float64 `json:"x"`               // principal components
	Y     float64 `json:"y"`
}

// neighbourhoodView lists the tokens nearest to one.
type neighbourhoodView struct {
	ID         int32           `json:"id"`
	Text       string          `json:"token"`
	Neighbours []neighbourView `json:"neighbours"`
}

type neighbourView struct {
	embeddings.Neighbour
	Text string `json:"token"`
}

type embeddingsOptions struct {
	view.Output
	stream, export string
	tokens         []string
	neighbours     int
}

func newEmbeddingsCommand() *cobra.Command {
	var o embeddingsOptions
	cmd := &cobra.Command{
		Use:   "embeddings RUN",
		Short: "The learned embedding table: norms, geometry, neighbours, projection",
		Long: `Show the embedding table of a run's newest checkpoint, as sampling uses it
(averaged weights): the norms of its raw rows, how far it is from collapse, its
effective rank, the rows that training never touched, the neighbours of tokens,
and its first two principal components.

` + cli.ExitHelp,
		Example: `  inspect embeddings run --token e --token 'the' --neighbours 5
  inspect embeddings run --stream shards --png embeddings.png
  inspect embeddings run --export projector   # safetensors, and TSV for the TensorBoard projector`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := readEmbeddings(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			if o.export != "" {
				if err := v.export(o.export); err != nil {
					return err
				}
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.tokens, "token", nil, "show the neighbours of this token: its text, or #ID; may be repeated")
	f.IntVar(&o.neighbours, "neighbours", 8, "how many neighbours")
	f.StringVar(&o.stream, "stream", "", "directory of shards, to show norms by token frequency")
	f.StringVar(&o.export, "export", "", "directory for embeddings.safetensors, tensors.tsv and metadata.tsv")
	return cmd
}

// readEmbeddings reads the newest whole checkpoint of a run and studies its
// table.
func readEmbeddings(ctx context.Context, run string, o embeddingsOptions) (*embeddingsView, error) {
	if o.neighbours < 1 {
		return nil, cli.Usagef("--neighbours is at least 1, not %d", o.neighbours)
	}
	config, err := trainer.ReadConfig(run)
	if err != nil {
		return nil, err
	}
	tok, err := tokenize.Load(filepath.Join(run, trainer.TokenizerFile))
	if err != nil {
		return nil, err
	}
	dir, step, skipped, err := checkpoint.Latest(run)
	if err != nil {
		return nil, err
	}
	for _, s := range skipped {
		fmt.Fprintf(os.Stderr, "warning: %s; showing step %d\n", s, step)
	}
	table, err := readTable(filepath.Join(dir, checkpoint.WeightsFile))
	if err != nil {
		return nil, err
	}
	if want := config.Denoiser(tok.VocabSize()).Vocab; table.V != want {
		return nil, fmt.Errorf("the table of %q has %d rows, tokenizer and configuration of the run want %d: %w", dir, table.V, want, safeio.ErrMismatch)
	}
	v := &embeddingsView{Schema: 1, View: "embeddings", Run: run, Step: step, Neighbours: []neighbourhoodView{}, table: table}
	if v.Stats, err = table.Stats(config.Run.Seed); err != nil {
		return nil, fmt.Errorf("checkpoint %q: %w (%w)", dir, err, safeio.ErrCorrupt)
	}
	if err := v.addTokens(tok); err != nil {
		return nil, err
	}
	if o.stream != "" {
		if err := v.addCounts(ctx, tok, o.stream); err != nil {
			return nil, err
		}
	}
	for _, text := range o.tokens {
		if err := v.addNeighbours(tok, text, o.neighbours); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// readTable reads the averaged table of a checkpoint.
func readTable(path string) (*embeddings.Table, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	shape := f.Shape(tensor)
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("%q has no table %q with rows and columns (shape %v): %w", path, tensor, shape, safeio.ErrMismatch)
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
func (v *embeddingsView) addTokens(tok *tokenize.Tokenizer) error {
	t := v.table
	k := min(2, t.D)
	p, err := t.PCA(k)
	if err != nil {
		return err
	}
	v.Explained = p.Explained
	v.Tokens = make([]tokenView, t.V)
	sentinels := autoregressive.NewFIM(tok.VocabSize())
	for i, norm := range t.RawNorms() {
		id := int32(i)
		row := tokenView{ID: id, Text: cmp.Or(sentinels.Name(id), tok.Token(id)), Norm: norm, X: p.Points[i*k]}
		if k > 1 {
			row.Y = p.Points[i*k+1]
		}
		v.Tokens[i] = row
	}
	return nil
}

// addCounts counts the tokens of the training split of a directory of shards.
func (v *embeddingsView) addCounts(ctx context.Context, tok *tokenize.Tokenizer, dir string) error {
	d, err := pipeline.Open(dir)
	if err != nil {
		return err
	}
	if got := d.Manifest().Plan.Tokenizer.SHA256; got != tok.Hash() {
		return fmt.Errorf("shards %q were made with another tokenizer (%.12s) than the run (%.12s): %w", dir, got, tok.Hash(), safeio.ErrMismatch)
	}
	counts := make([]int64, len(v.Tokens))
	for doc, err := range d.Docs(pipeline.TrainSplit) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, id := range doc.Tokens {
			if id < 0 || int(id) >= len(counts) {
				return fmt.Errorf("shards %q: document %s has token %d of %d: %w", dir, doc.ID, id, len(counts), safeio.ErrCorrupt)
			}
			counts[id]++
		}
	}
	for i := range v.Tokens {
		v.Tokens[i].Count = &counts[i]
	}
	v.counted = true
	return nil
}

// addNeighbours finds the token that text names: the token of that text, or
// the one with an id, "#17".
func (v *embeddingsView) addNeighbours(tok *tokenize.Tokenizer, text string, k int) error {
	id, err := v.find(tok, text)
	if err != nil {
		return err
	}
	near, err := v.table.Neighbours(id, min(k, v.table.V-1))
	if err != nil {
		return err
	}
	n := neighbourhoodView{ID: id, Text: v.Tokens[id].Text, Neighbours: []neighbourView{}}
	for _, other := range near {
		n.Neighbours = append(n.Neighbours, neighbourView{other, v.Tokens[other.ID].Text})
	}
	v.Neighbours = append(v.Neighbours, n)
	return nil
}

func (v *embeddingsView) find(tok *tokenize.Tokenizer, text string) (int32, error) {
	var id int32
	if n, err := fmt.Sscanf(text, "#%d", &id); n == 1 && err == nil && fmt.Sprintf("#%d", id) == text {
		if id < 0 || int(id) >= len(v.Tokens) {
			return 0, cli.Usagef("there is no token #%d: ids are 0 to %d", id, len(v.Tokens)-1)
		}
		return id, nil
	}
	for _, t := range v.Tokens {
		if t.Text == text {
			return t.ID, nil
		}
	}
	ids := tok.Encode(nil, text)
	if len(ids) == 1 {
		return ids[0], nil
	}
	return 0, cli.Usagef("%q is not one token of this vocabulary but %d", text, len(ids))
}
