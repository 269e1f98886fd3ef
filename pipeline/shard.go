package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Shard makes a data set in o.Out from the sources, or finishes one that was
// interrupted, and returns its manifest and report. Called again on a finished
// data set it checks every shard and makes those anew that are damaged or gone.
//
// A directory that holds a data set of another corpus or other options, or
// foreign files, is refused with [safeio.ErrMismatch]; one that another process
// writes to with [safeio.ErrLocked]. If no source gives a document, the error
// is [safeio.ErrNotFound].
func Shard(ctx context.Context, o Options) (*Manifest, *Report, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, nil, err
	}
	if o.Encoder == nil && o.Train == nil {
		return nil, nil, fmt.Errorf("make data set %q: no tokenizer", o.Out)
	}
	found, report, err := discover(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	to, err := o.destination(ctx)
	if err != nil {
		return nil, nil, err
	}
	// Locked before the corpus is read, which can take long.
	lock, err := lockDir(o.FS, o.Out)
	if err != nil {
		return nil, nil, err
	}
	defer lock.Close()
	sources, scanned, err := scan(ctx, found, o)
	report.add(scanned)
	if err != nil {
		return nil, nil, err
	}
	if len(sources) == 0 {
		return nil, &report, nothing(report)
	}
	plan := o.plan()
	plan.Corpus = identity(sources)
	work, err := openWork(o.FS, o.Out, to, plan)
	if err != nil {
		return nil, nil, err
	}
	tasks := cut(sources, o.ShardSize)
	if o.Encoder == nil {
		if err := o.train(ctx, work, plan, tasks); err != nil {
			return nil, nil, err
		}
	}
	if err := o.checkTokenizer(); err != nil {
		return nil, nil, err
	}
	plan.Tokenizer = Vocabulary{SHA256: o.Encoder.Hash(), Size: o.Encoder.VocabSize(), EOS: o.Encoder.EOS()}

	err = work.begin(plan)
	if err == nil {
		err = work.share(o.TokenizerJSON)
	}
	if err != nil {
		return nil, nil, err
	}
	if m := work.finished; m != nil {
		err := work.examine(ctx, o.Workers, o.Progress)
		if err == nil {
			err = mend(ctx, o, work, tasks)
		}
		if err != nil {
			return nil, nil, err
		}
		return m, &m.Report, work.commit(m, o.TokenizerJSON)
	}
	records, err := work.make(ctx, o, tasks)
	if err != nil {
		return nil, nil, err
	}
	m := &Manifest{Format: manifestFormat, Schema: manifestSchema, Plan: plan, Report: report}
	for _, r := range records {
		m.Report.add(r.Report)
		m.Shards = append(m.Shards, r.Shards...)
	}
	if len(m.Shards) == 0 {
		return nil, &m.Report, errors.Join(nothing(m.Report), work.removeWork())
	}
	// Training shards first, each split in the order of its units.
	order := Splits()
	slices.SortStableFunc(m.Shards, func(a, b ShardInfo) int {
		return cmp.Compare(slices.Index(order, a.Split), slices.Index(order, b.Split))
	})
	if err := work.commit(m, o.TokenizerJSON); err != nil {
		return nil, nil, err
	}
	return m, &m.Report, nil
}

// make makes the shards that are missing, here or by an engine, of the documents
// that are no duplicates.
func (w *work) make(ctx context.Context, o Options, tasks [][]unit) ([]record, error) {
	if err := compare(ctx, o, w.plan, w, tasks); err != nil {
		return nil, err
	}
	if o.Engine != nil {
		return engage(ctx, o, w, tasks)
	}
	return build(ctx, o, w.plan, w, tasks)
}

// mend makes the shards of a finished data set anew that are known to be damaged
// or gone.
func mend(ctx context.Context, o Options, w *work, tasks [][]unit) error {
	if len(w.bad) == 0 {
		return nil
	}
	_, err := w.make(ctx, o, tasks)
	return err
}

// train makes the tokenizer from the training documents: those that are held
// out must not shape it, nor those that are left out.
func (o *Options) train(ctx context.Context, work *work, plan Plan, tasks [][]unit) error {
	if err := compare(ctx, *o, plan, work, tasks); err != nil {
		return err
	}
	drops := func(unit int) (*dropList, error) { return work.drops(plan, unit) }
	var failed error
	encoder, file, err := o.Train(func(yield func(string) bool) {
		failed = trainingDocs(ctx, tasks, plan, drops, func(d Doc) bool { return yield(d.Text) })
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("train a tokenizer: %w", err)
	}
	o.Encoder, o.TokenizerJSON = encoder, file
	return nil
}

// checkTokenizer refuses a tokenizer file that is not that of the encoder.
func (o Options) checkTokenizer() error {
	if len(o.TokenizerJSON) == 0 {
		return nil
	}
	sum := sha256.Sum256(o.TokenizerJSON)
	if got := hex.EncodeToString(sum[:]); got != o.Encoder.Hash() {
		return fmt.Errorf("make data set %q: %w: the tokenizer file has the sha256 %.12s, the tokenizer %.12s", o.Out, safeio.ErrMismatch, got, o.Encoder.Hash())
	}
	return nil
}

// nothing is the error of a corpus without a document; it says what there was.
func nothing(r Report) error {
	said := r.String()
	if said == "" {
		said = "no file of a kind that can be read"
	}
	return fmt.Errorf("read corpus: %w: it has no documents (%s)", safeio.ErrNotFound, said)
}

// plan is all of a plan but the corpus and the tokenizer.
func (o Options) plan() Plan {
	part := int64(PartSize)
	if o.Split == SplitFile && o.Val+o.Test > 0 {
		part = heldOutPart
	}
	similarity := 0.0
	if o.Dedup == DedupNear {
		similarity = o.Similarity
	}
	return Plan{
		Format:    o.Format,
		Split:     o.Split,
		TextField: o.TextField,
		ShardSize: o.ShardSize,
		PartSize:  part,
		Val:       o.Val,
		Encoding:  o.Encoding,
		Invalid:   o.Invalid,
		Test:      o.Test,

		Dedup:      o.Dedup,
		Similarity: similarity,
	}
}

// difference names the first thing in which two plans differ, or is "". A plan
// whose tokenizer is not known yet differs in nothing for its sake.
func (p Plan) difference(o Plan) string {
	if o.Tokenizer == (Vocabulary{}) {
		o.Tokenizer = p.Tokenizer
	}
	switch {
	case p.Corpus != o.Corpus:
		return fmt.Sprintf("corpus (%d files of %d bytes, sha256 %.12s, not %d of %d, %.12s)", p.Corpus.Sources, p.Corpus.Bytes, p.Corpus.SHA256, o.Corpus.Sources, o.Corpus.Bytes, o.Corpus.SHA256)
	case p.Tokenizer != o.Tokenizer:
		return fmt.Sprintf("tokenizer (%d tokens, sha256 %.12s, not %d, %.12s)", p.Tokenizer.Size, p.Tokenizer.SHA256, o.Tokenizer.Size, o.Tokenizer.SHA256)
	case p.Format != o.Format:
		return fmt.Sprintf("format (%s, not %s)", p.Format, o.Format)
	case p.Split != o.Split:
		return fmt.Sprintf("separation of documents (%s, not %s)", p.Split, o.Split)
	case p.TextField != o.TextField:
		return fmt.Sprintf("text field (%q, not %q)", p.TextField, o.TextField)
	case p.ShardSize != o.ShardSize:
		return fmt.Sprintf("shard size (%d, not %d)", p.ShardSize, o.ShardSize)
	case p.Val != o.Val:
		return fmt.Sprintf("held-out share (%v, not %v)", p.Val, o.Val)
	case p.Encoding != o.Encoding:
		return fmt.Sprintf("encoding of the text (%s, not %s)", cmp.Or(p.Encoding, "utf-8"), cmp.Or(o.Encoding, "utf-8"))
	case p.Invalid != o.Invalid:
		return fmt.Sprintf("treatment of invalid UTF-8 (%s, not %s)", cmp.Or(p.Invalid, InvalidReplace), cmp.Or(o.Invalid, InvalidReplace))
	case p.Test != o.Test:
		return fmt.Sprintf("share for tests (%v, not %v)", p.Test, o.Test)
	case p.Dedup != o.Dedup:
		return fmt.Sprintf("comparison of documents (%q, not %q)", p.Dedup, o.Dedup)
	case p.Similarity != o.Similarity:
		return fmt.Sprintf("similarity of duplicates (%v, not %v)", p.Similarity, o.Similarity)
	case p != o:
		return "layout of another version"
	}
	return ""
}
