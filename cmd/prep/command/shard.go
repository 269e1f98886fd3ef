package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

type shardOptions struct {
	pipeline.Options
	tokenizer, shardSize, stdinLimit, engine, dedup string
	json, dryRun                                    bool
}

func newShardCommand(engines []Engine) *cobra.Command {
	var o shardOptions
	cmd := &cobra.Command{
		Use:   "shard CORPUS... -o DIR",
		Short: "Turn text files into a data set",
		Long: `Turn text files into a data set: Parquet shards of tokenised documents,
tokenizer.json, and manifest.json, which is written last.

A corpus is a file, a directory, which is searched with all that is below it,
objects of a store that speaks S3 (s3://BUCKET/PREFIX, with the endpoint, region
and credentials of the AWS command line's environment), or standard input (-).
Read are

  .txt .md          text
  .html             the text that a reader sees
  .jsonl            an object a line, its text in --text-field
  .csv .tsv         a table with a header, its text in the column --text-field
  .parquet          likewise
  .tar              the files in it; links are not followed

each also as .gz, .zst, .bz2 or .xz, in archives too; and whatever is named, as
text. Documents of text are whole files, lines, or blocks between empty lines
(--split-docs); lines of .jsonl and rows of tables are a document each.
Documents above 1 MiB are cut into parts, and so, into blocks of 16 KiB, are
whole files from which a share is held out.

Text is UTF-8, what its byte order mark or, in HTML, the page says, or
--encoding. What was skipped, left out or replaced is counted in the summary and
in the manifest; the exit code is 3 if something was skipped. A damaged file is
an error that names it, before anything is written.

--dedup exact leaves out documents that have the text of an earlier one, --dedup
near also those of which an earlier one has nearly the same runs of five words
(a Jaccard similarity of 0.8 and more, estimated by MinHash): within all files and
across training, validation and test documents. The first of them stays.

What comes out depends on the corpus and the options alone. Stopped at any
moment, the same command finishes the work; run once more, it checks every shard
and makes damaged ones anew. A directory with another data set is refused.

` + cli.ExitHelp,
		Example: `  prep shard book.txt -o shards --tokenizer char --val 0.1
  prep shard corpus/ more.jsonl.zst -o shards --tokenizer train:bpe:16384
  prep shard corpus/ -o shards --tokenizer gpt2/tokenizer.json --split-docs blank
  prep shard s3://texts/2026/ -o s3://data-sets/texts-2026
  zcat dump.gz | prep shard - --stdin-name dump.jsonl -o shards`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sources, o.Stdin = args, cmd.InOrStdin()
			var err error
			if o.Engine, err = chooseEngine(engines, o.engine); err != nil {
				return err
			}
			return runShard(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.Out, "out", "o", "", "directory of the data set, or s3://BUCKET/PREFIX")
	f.StringVar(&o.Staging, "staging", "", "with -o s3://...: where the work is done and goes on from (default: a directory of the user's cache)")
	f.StringVar(&o.tokenizer, "tokenizer", "train:bpe:8192", "tokenizer.json, or one to make: train:bpe:SIZE, train:wordpiece:SIZE, train:unigram:SIZE, char, byte")
	f.StringVar(&o.Split, "split-docs", pipeline.SplitFile, "what a document of a .txt file is: file, line, or blank (between empty lines)")
	f.StringVar(&o.TextField, "text-field", "text", "member of a .jsonl line or column of a table that holds the text")
	f.StringVar(&o.Encoding, "encoding", "utf-8", "of text without a byte order mark: latin1, windows-1251, utf-16le, shift_jis, ...")
	f.StringVar(&o.Invalid, "invalid-utf8", pipeline.InvalidReplace, "replace its bytes by U+FFFD, keep them (the text column is one of bytes then), or reject the document")
	f.StringVar(&o.StdinName, "stdin-name", "stdin.txt", "a file name that says what standard input holds, as in x.jsonl.zst")
	f.StringVar(&o.stdinLimit, "stdin-limit", "64G", "of standard input, which is kept on the disk of DIR meanwhile")
	f.StringVar(&o.Format, "format", pipeline.FormatParquet, "parquet or arrow")
	f.Float64Var(&o.Val, "val", 0, "share of the documents to hold out for validation, chosen by content")
	f.Float64Var(&o.Test, "test", 0, "share of the documents to hold out for tests, chosen by content")
	f.StringVar(&o.dedup, "dedup", "none", "duplicates to leave out: none, exact, near, or near:SIMILARITY")
	f.StringVar(&o.shardSize, "shard-size", "16M", "text a shard, in bytes; suffixes K, M, G, T")
	f.IntVar(&o.Workers, "workers", runtime.GOMAXPROCS(0), "shards made at a time; does not change the result")
	f.StringVar(&o.engine, "engine", localEngine, "who makes the shards: "+engineNames(engines)+"; does not change the result")
	f.BoolVar(&o.dryRun, "dry-run", false, "write nothing: estimate time, shards, tokens and disk from a sample of at most 24 MiB")
	f.BoolVar(&o.json, "json", false, "print the summary as JSON")
	addEngineFlags(cmd, engines)
	cli.FlagDirs(cmd, "out", "staging")
	cli.FlagChoices(cmd, "split-docs", pipeline.SplitFile, pipeline.SplitLine, pipeline.SplitBlank)
	cli.FlagChoices(cmd, "invalid-utf8", pipeline.InvalidReplace, pipeline.InvalidKeep, pipeline.InvalidReject)
	cli.FlagChoices(cmd, "format", pipeline.FormatParquet, pipeline.FormatArrow)
	cli.FlagChoices(cmd, "dedup", "none", "exact", "near")
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

// heapGoal is what the garbage collector keeps the heap below, if it can: in a
// corpus of a million files, or of long lines, it would let garbage double what is
// needed.
const heapGoal = 400 << 20

func runShard(ctx context.Context, out io.Writer, o shardOptions) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapGoal)
	}
	size, err := cli.ParseSize(o.shardSize)
	if err != nil {
		return cli.Usagef("--shard-size %q: %v", o.shardSize, err)
	}
	o.ShardSize = size
	if o.StdinLimit, err = cli.ParseSize(o.stdinLimit); err != nil {
		return cli.Usagef("--stdin-limit %q: %v", o.stdinLimit, err)
	}
	if err := o.setDedup(); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return cli.Exit(cli.ExitUsage, err)
	}
	if err := o.setTokenizer(); err != nil {
		return err
	}
	if o.dryRun {
		return runDryRun(ctx, out, o)
	}
	if o.Staging == "" {
		if o.Staging, err = stagingFor(o.Out); err != nil {
			return cli.Usagef("-o %s: %v: give a directory with --staging", o.Out, err)
		}
	}
	bars := &stages{}
	defer bars.done()
	o.Progress = bars.show
	m, report, err := pipeline.Shard(ctx, o.Options)
	if err != nil {
		return explainShard(ctx, err)
	}
	bars.done()
	if err := printSummary(out, o, m); err != nil {
		return err
	}
	if n := report.Skipped(); n > 0 {
		return cli.Exit(cli.ExitSkipped, fmt.Errorf("%d inputs were skipped; the data set %q holds the rest", n, o.Out))
	}
	return nil
}

// setDedup parses --dedup.
func (o *shardOptions) setDedup() error {
	kind, similarity, given := strings.Cut(o.dedup, ":")
	switch {
	case o.dedup == "none":
		return nil
	case given && kind == pipeline.DedupNear:
		x, err := strconv.ParseFloat(similarity, 64)
		if err != nil || !(x > 0 && x <= 1) {
			return cli.Usagef("--dedup %q: %q is not a similarity in (0, 1]", o.dedup, similarity)
		}
		o.Similarity = x
	case given || kind != pipeline.DedupExact && kind != pipeline.DedupNear:
		return cli.Usagef("--dedup %q: not one of none, exact, near, near:SIMILARITY", o.dedup)
	}
	o.Dedup = kind
	return nil
}

// stagingFor is where work for an address is done: the same command finds it again.
func stagingFor(out string) (string, error) {
	if !strings.Contains(out, "://") {
		return "", nil
	}
	cache, err := os.UserCacheDir()
	sum := sha256.Sum256([]byte(out))
	return filepath.Join(cache, "textwarp", "staging", hex.EncodeToString(sum[:8])), err
}

// explainShard says what to do about an error.
func explainShard(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return cli.Hint(err, "the same command continues where this one stopped")
	case errors.Is(err, safeio.ErrSpace):
		return cli.Hint(err, "shards that are finished are kept: free some space and run the same command again")
	case errors.Is(err, safeio.ErrMismatch):
		return cli.Hint(err, "give a new directory with -o, or the corpus and options that this one was begun with")
	}
	return err
}

// summary is what prep shard prints with --json.
type summary struct {
	Out       string          `json:"out"`
	Hash      string          `json:"hash"`
	Train     pipeline.Totals `json:"train"`
	Val       pipeline.Totals `json:"val"`
	Test      pipeline.Totals `json:"test,omitzero"`
	Vocab     int             `json:"vocab"`
	Tokenizer string          `json:"tokenizer"`
	Report    pipeline.Report `json:"report"`
}

func printSummary(out io.Writer, o shardOptions, m *pipeline.Manifest) error {
	s := summary{
		Out: o.Out, Hash: m.Hash(), Train: m.Totals(pipeline.TrainSplit), Val: m.Totals(pipeline.ValSplit),
		Test:  m.Totals(pipeline.TestSplit),
		Vocab: m.Plan.Tokenizer.Size, Tokenizer: m.Plan.Tokenizer.SHA256, Report: m.Report,
	}
	if o.json {
		return cli.WriteJSON(out, s)
	}
	for _, split := range []struct {
		name string
		t    pipeline.Totals
	}{{"train", s.Train}, {"val", s.Val}, {"test", s.Test}} {
		if split.t.Shards > 0 {
			fmt.Fprintf(out, "%-5s  %d documents, %d tokens, %s of text in %s of %s\n", split.name,
				split.t.Documents, split.t.Tokens, bytesOf(split.t.TextBytes), countOf(split.t.Shards, "shard"), bytesOf(split.t.Bytes))
		}
	}
	fmt.Fprintf(out, "vocab  %d tokens\n", s.Vocab)
	for _, line := range m.Report.Lines() {
		fmt.Fprintf(out, "note   %s\n", line)
	}
	for _, held := range []struct {
		share float64
		t     pipeline.Totals
	}{{o.Val, s.Val}, {o.Test, s.Test}} {
		if held.share > 0 && held.t.Documents == 0 {
			fmt.Fprintf(out, "note   no document fell into the held-out share of %v: there are only %d\n", held.share, m.Totals("").Documents)
		}
	}
	_, err := fmt.Fprintf(out, "wrote  %s\n", o.Out)
	return err
}

// stages shows one bar after the other.
type stages struct {
	stage string
	bar   *cli.Bar
}

var labels = map[string]string{"scan": "scanning", "compare": "comparing", "examine": "examining", "shard": "sharding"}

func (s *stages) show(p pipeline.Progress) {
	if p.Stage != s.stage {
		s.done()
		s.stage, s.bar = p.Stage, cli.NewBar(os.Stderr, labels[p.Stage], p.Total, "B")
	}
	s.bar.Set(p.Done, "")
}

func (s *stages) done() {
	if s.bar != nil {
		s.bar.Done()
	}
	s.stage, s.bar = "", nil
}

func bytesOf(n int64) string {
	v, units := float64(n), []string{"B", "kB", "MB", "GB", "TB"}
	for len(units) > 1 && v >= 1000 {
		v, units = v/1000, units[1:]
	}
	return fmt.Sprintf("%.3g %s", v, units[0])
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
