package inspect

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/printable"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// Shards is the view `inspect shards`.
type Shards struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`
	Dir    string `json:"dir"`
	Vocab  int    `json:"vocab"`

	Documents     int64        `json:"documents"`
	Tokens        int64        `json:"tokens"`
	Bytes         int64        `json:"bytes"` // of text
	TokensPerByte float64      `json:"tokens_per_byte"`
	Splits        []ShardPart  `json:"splits"`
	Shards        []ShardPart  `json:"shards"`
	Lengths       LengthCounts `json:"lengths"`
	// Counted is the number of documents behind Lengths and Counts: all, unless a
	// limit was set.
	Counted int64 `json:"counted"`
	Longest int   `json:"longest"` // document, in tokens

	Counts    []int64 `json:"-"` // of each token in the training split
	tokenizer string  // hash
}

// ShardPart is a shard or a split.
type ShardPart struct {
	Name      string `json:"name"`
	Documents int64  `json:"documents"`
	Tokens    int64  `json:"tokens"`
	Bytes     int64  `json:"bytes"` // of text
}

// LengthCounts counts documents by their length in tokens: Counts[i] of them
// have Edges[i] to Edges[i+1]-1.
type LengthCounts struct {
	Edges  []int   `json:"edges"`
	Counts []int64 `json:"counts"`
}

// ReadShards describes a directory of shards. It reads all documents or, if
// limit is above 0, shards until they have so many tokens.
func ReadShards(ctx context.Context, dir string, limit int64) (*Shards, error) {
	d, err := pipeline.Open(dir)
	if err != nil {
		return nil, err
	}
	m := d.Manifest()
	total := m.Totals("")
	s := &Shards{
		Schema: 1, View: "shards", Dir: dir, Vocab: m.Plan.Tokenizer.Size,
		Documents: total.Documents, Tokens: total.Tokens, Bytes: total.TextBytes,
		TokensPerByte: float64(total.Tokens) / max(1, float64(total.TextBytes)),
		Splits:        []ShardPart{}, Shards: []ShardPart{},
		Counts: make([]int64, m.Plan.Tokenizer.Size), tokenizer: m.Plan.Tokenizer.SHA256,
		Lengths: LengthCounts{Edges: []int{0, 2}, Counts: []int64{0}},
	}
	for _, split := range pipeline.Splits() {
		if t := m.Totals(split); t.Shards > 0 {
			s.Splits = append(s.Splits, ShardPart{split, t.Documents, t.Tokens, t.TextBytes})
		}
	}
	for _, f := range m.Shards {
		s.Shards = append(s.Shards, ShardPart{f.File, f.Documents, f.Tokens, f.TextBytes})
	}
	var seen int64
	for doc, err := range d.Docs("") {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if err := s.count(doc); err != nil {
			return nil, err
		}
		if seen += int64(len(doc.Tokens)); limit > 0 && seen >= limit {
			break
		}
	}
	return s, nil
}

// count adds a document to its bin: 0 and 1 token in the first, then 2 to 3, 4
// to 7, and so on.
func (s *Shards) count(doc pipeline.Doc) error {
	n := len(doc.Tokens)
	s.Counted++
	s.Longest = max(s.Longest, n)
	at := max(bits.Len(uint(n)), 1) - 1
	for len(s.Lengths.Counts) <= at {
		s.Lengths.Edges = append(s.Lengths.Edges, 2*s.Lengths.Edges[len(s.Lengths.Edges)-1])
		s.Lengths.Counts = append(s.Lengths.Counts, 0)
	}
	s.Lengths.Counts[at]++
	if doc.Split != pipeline.TrainSplit {
		return nil
	}
	for _, id := range doc.Tokens {
		if id < 0 || int(id) >= len(s.Counts) {
			return fmt.Errorf("shards %q: document %s has token %d of %d: %w", s.Dir, doc.ID, id, len(s.Counts), safeio.ErrCorrupt)
		}
		s.Counts[id]++
	}
	return nil
}

// Figures are the charts of the shards.
func (s *Shards) Figures() []chart.Figure {
	bars := chart.Series{Kind: chart.Bars, Name: "documents"}
	for i, edge := range s.Lengths.Edges {
		bars.X = append(bars.X, float64(max(1, edge)))
		if i < len(s.Lengths.Counts) {
			bars.Y = append(bars.Y, float64(s.Lengths.Counts[i]))
		}
	}
	density := chart.Series{Kind: chart.Bars, Name: "shard", Color: 1, X: []float64{0.5}}
	for i, p := range s.Shards {
		density.X = append(density.X, float64(i)+1.5)
		density.Y = append(density.Y, float64(p.Tokens)/max(1, float64(p.Bytes)))
	}
	return []chart.Figure{
		{
			Name: "lengths", Title: "Lengths of documents",
			X: chart.Axis{Label: "length", Unit: "tokens", Scale: chart.Log}, Y: chart.Axis{Label: "documents", Scale: chart.Whole}, Series: []chart.Series{bars},
		},
		{
			Name: "density", Title: "Tokens a byte of text, by shard",
			X: chart.Axis{Label: "shard, in the order of the manifest", Scale: chart.Whole}, Y: chart.Axis{Label: "tokens a byte"}, Series: []chart.Series{density},
		},
	}
}

// Write shows the shards on a terminal.
func (s *Shards) Write(p *chart.Printer) {
	p.Printf("%s: %d documents, %d tokens of a vocabulary of %d, %.3g tokens a byte\n\n", printable.Line(s.Dir), s.Documents, s.Tokens, s.Vocab, s.TokensPerByte)
	p.Chart(s.Figures()[0])
	p.Printf("the longest document has %d tokens\n\n%-24s %10s %12s %12s %13s\n", s.Longest, "", "documents", "tokens", "bytes", "tokens a byte")
	row := func(part ShardPart) {
		p.Printf("%-24s %10d %12d %12d %13.3f\n", printable.Line(part.Name), part.Documents, part.Tokens, part.Bytes, float64(part.Tokens)/max(1, float64(part.Bytes)))
	}
	for _, part := range s.Splits {
		row(part)
	}
	const most = 20
	for i, part := range s.Shards {
		if i == most {
			p.Printf("and %d shards more\n", len(s.Shards)-most)
			break
		}
		row(part)
	}
}
