package command

import (
	"context"
	"fmt"
	"io"
	"math/bits"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/chart"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

func newStatsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats DIR",
		Short: "Show how many documents and tokens a data set has, and how long they are",
		Long: `Show the size of a data set: documents, tokens, bytes a token, and a histogram
of the lengths of documents in tokens. Shards are checked on the way.

` + cli.ExitHelp,
		Example: `  prep stats shards
  prep stats shards --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.DataSets(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := measure(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return cli.WriteJSON(cmd.OutOrStdout(), s)
			}
			return s.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// stats is what prep stats shows.
type stats struct {
	Dir               string                     `json:"dir"`
	Vocab             int                        `json:"vocab"`
	Splits            map[string]pipeline.Totals `json:"splits"`
	Total             pipeline.Totals            `json:"total"`
	BytesPerToken     float64                    `json:"bytes_per_token"`
	TokensPerDocument float64                    `json:"tokens_per_document"`
	Longest           int                        `json:"longest_document"` // tokens
	Lengths           []bin                      `json:"lengths"`
}

// bin counts the documents of From to To tokens.
type bin struct {
	From      int   `json:"from"`
	To        int   `json:"to"`
	Documents int64 `json:"documents"`
}

func measure(ctx context.Context, dir string) (*stats, error) {
	d, err := pipeline.Open(dir)
	if err != nil {
		return nil, err
	}
	m := d.Manifest()
	s := &stats{Dir: dir, Vocab: m.Plan.Tokenizer.Size, Total: m.Totals(""), Splits: map[string]pipeline.Totals{}}
	for _, split := range pipeline.Splits() {
		if t := m.Totals(split); t.Shards > 0 {
			s.Splits[split] = t
		}
	}
	s.BytesPerToken = float64(s.Total.TextBytes) / max(1, float64(s.Total.Tokens))
	s.TokensPerDocument = float64(s.Total.Tokens) / max(1, float64(s.Total.Documents))
	bar := cli.NewBar(os.Stderr, "reading", s.Total.Documents, "documents")
	defer bar.Done()
	var done int64
	for doc, err := range d.Docs("") {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		s.count(len(doc.Tokens))
		done++
		bar.Set(done, "")
	}
	return s, nil
}

// count adds a document to its bin: 0 and 1 token in the first, then 2 to 3, 4
// to 7, and so on.
func (s *stats) count(tokens int) {
	s.Longest = max(s.Longest, tokens)
	at := max(bits.Len(uint(tokens)), 1) - 1
	for i := len(s.Lengths); i <= at; i++ {
		s.Lengths = append(s.Lengths, bin{From: 1 << i, To: 1<<(i+1) - 1})
		s.Lengths[0].From = 0
	}
	s.Lengths[at].Documents++
}

func (s *stats) print(w io.Writer) error {
	fmt.Fprintf(w, "%-6s %10s %12s %10s %10s %7s\n", "", "documents", "tokens", "text", "stored", "shards")
	for _, split := range pipeline.Splits() {
		if t := s.Splits[split]; t.Shards > 0 {
			fmt.Fprintf(w, "%-6s %10d %12d %10s %10s %7d\n", split, t.Documents, t.Tokens, bytesOf(t.TextBytes), bytesOf(t.Bytes), t.Shards)
		}
	}
	fmt.Fprintf(w, "\nvocabulary of %d, %.3g bytes a token, %.4g tokens a document, the longest has %d\n\n", s.Vocab, s.BytesPerToken, s.TokensPerDocument, s.Longest)
	file, ok := w.(*os.File)
	look := chart.Terminal{Width: 80, Height: 8}
	if ok {
		look.Width, look.Color = max(40, min(100, cli.Width(file))), cli.Color(file)
	}
	return chart.WriteTerminal(w, s.figure(), look)
}

func (s *stats) figure() chart.Figure {
	bars := chart.Series{Kind: chart.Bars, X: []float64{1}}
	for _, b := range s.Lengths {
		bars.X = append(bars.X, float64(b.To+1))
		bars.Y = append(bars.Y, float64(b.Documents))
	}
	return chart.Figure{
		Name: "lengths", Title: "Lengths of documents",
		X:      chart.Axis{Label: "length", Unit: "tokens", Scale: chart.Log},
		Y:      chart.Axis{Label: "documents"},
		Series: []chart.Series{bars},
	}
}
