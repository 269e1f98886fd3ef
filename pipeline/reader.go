package pipeline

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
)

// reader gives the documents of segments. It keeps a source open for the next
// segment of it, which need not be found again then.
type reader struct {
	feed  *feed
	ahead *piece // read, but of a later segment
	spare *spare
	extractor
}

// segment calls do for each document of a segment, in order.
func (r *reader) segment(ctx context.Context, seg segment, p Plan, report *Report, do func(Doc) error) error {
	if r.feed == nil || r.feed.source != seg.source {
		r.closeSource()
		if r.spare == nil {
			r.spare = newSpare()
			r.field, r.invalid = p.TextField, p.Invalid
		}
		feed, err := openFeed(ctx, seg.source, p, seg.from, r.spare)
		if err != nil {
			return err
		}
		r.feed = feed
	}
	for {
		next, err := r.piece()
		if err == io.EOF {
			return r.feed.whole()
		}
		if err != nil {
			return err
		}
		if next.start >= seg.to {
			r.ahead = &next
			return r.feed.check()
		}
		if next.start < seg.from {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		source := shown(r.feed.name)
		err = r.texts(next, report, func(text string) error {
			id, u := identify(text)
			return do(Doc{ID: id, Source: source, Offset: next.offset, Text: text, Split: p.splitOf(u)})
		})
		if err != nil {
			return err
		}
	}
}

func (r *reader) piece() (piece, error) {
	if p := r.ahead; p != nil {
		r.ahead = nil
		return *p, nil
	}
	return r.feed.next()
}

func (r *reader) closeSource() {
	if r.feed != nil {
		r.feed.Close()
	}
	r.feed, r.ahead = nil, nil
}

// errStop ends an iteration whose consumer has enough.
var errStop = errors.New("stop")

// trainingDocs gives the documents of the units that are not held out, in their
// order, until yield has enough. drops, if not nil, says which to leave out.
func trainingDocs(ctx context.Context, tasks [][]unit, plan Plan, drops func(unit int) (*dropList, error), yield func(Doc) bool) error {
	var r reader
	defer r.closeSource()
	for _, u := range slices.Concat(tasks...) {
		var list *dropList
		if drops != nil {
			var err error
			if list, err = drops(u.index); err != nil {
				return err
			}
		}
		report := new(Report)
		do := list.filter(report, func(d Doc) error {
			if d.Split == TrainSplit && !yield(d) {
				return errStop
			}
			return nil
		})
		for _, s := range u.segments {
			err := r.segment(ctx, s, plan, report, do)
			if errors.Is(err, errStop) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Documents gives the training documents of the sources, in a fixed order,
// without tokens: what a tokenizer is trained on. Documents that [Shard] would
// hold out are left out here too. It ends after the first error.
func Documents(ctx context.Context, o Options) iter.Seq2[Doc, error] {
	return func(yield func(Doc, error) bool) {
		o := o.withDefaults()
		o.Out = "" // nothing is written there
		err := o.Validate()
		var found, sources []*source
		var report Report
		if err == nil {
			found, report, err = discover(ctx, o)
		}
		if err == nil {
			var scanned Report
			sources, scanned, err = scan(ctx, found, o)
			report.add(scanned)
		}
		if err == nil && len(sources) == 0 {
			err = nothing(report)
		}
		if err == nil {
			err = trainingDocs(ctx, cut(sources, o.ShardSize), o.plan(), nil, func(d Doc) bool { return yield(d, nil) })
		}
		if err != nil {
			yield(Doc{}, err)
		}
	}
}
