package command

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// runDryRun says what prep shard would make.
func runDryRun(ctx context.Context, out io.Writer, o shardOptions) error {
	f, err := pipeline.Foresee(ctx, o.Options)
	if err != nil {
		return err
	}
	if o.json {
		return cli.WriteJSON(out, f)
	}
	fmt.Fprintf(out, "corpus  %s, %s of text\n", countOf(f.Sources, "file"), bytesOf(f.Corpus))
	fmt.Fprintf(out, "makes   %d documents, %d tokens%s in %s of %s\n", f.Documents, f.Tokens, plusMinus(f.Error), countOf(f.Shards, "shard"), bytesOf(f.Bytes))
	if f.WorkBytes > 0 {
		fmt.Fprintf(out, "needs   %s of disk for a while, to compare documents; duplicates are not taken off the counts\n", bytesOf(f.WorkBytes))
	}
	fmt.Fprintf(out, "takes   %s:", duration(f.Seconds.Total()))
	for _, s := range []struct {
		what    string
		seconds float64
	}{{"scanning", f.Seconds.Scan}, {"comparing", f.Seconds.Compare}, {"training a tokenizer", f.Seconds.Train}, {"sharding", f.Seconds.Shard}} {
		if s.seconds > 0 {
			fmt.Fprintf(out, " %s %s", s.what, duration(s.seconds))
		}
	}
	_, err = fmt.Fprintf(out, "\nsample  %s, a share of %.3g\n", bytesOf(f.Sampled), float64(f.Sampled)/float64(max(f.Corpus, 1)))
	return err
}

func plusMinus(share float64) string {
	if share == 0 {
		return ""
	}
	return fmt.Sprintf(" (± %.1f %%)", math.Ceil(share*1000)/10)
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
