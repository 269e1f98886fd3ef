package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// reader gives the documents of segments. It keeps a source open for the next
// segment of it, which need not be found again then.
type reader struct {
	source source
	scan   *scanner
	closer io.Closer
	ahead  *piece // read, but of a later segment
}

// segment calls do for each document of a segment, in order.
func (r *reader) segment(ctx context.Context, seg segment, p Plan, report *Report, do func(Doc) error) error {
	if r.scan == nil || r.source.path != seg.source.path {
		r.closeSource()
		c, closer, err := openScanner(seg.source, layoutOf(seg.source, p), seg.from)
		if err != nil {
			return err
		}
		r.source, r.scan, r.closer = seg.source, c, closer
	}
	for {
		next, err := r.piece()
		if err == io.EOF {
			return r.checkSize()
		}
		if err != nil {
			return err
		}
		if next.start >= seg.to {
			r.ahead = &next
			return nil
		}
		if next.start < seg.from {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, text := range texts(next, seg.source.lines, p.TextField, report) {
			id, u := identify(text)
			d := Doc{ID: id, Source: seg.source.name, Offset: next.offset, Text: text, Split: splitOf(u, p.Val)}
			if err := do(d); err != nil {
				return err
			}
		}
	}
}

func (r *reader) piece() (piece, error) {
	if p := r.ahead; p != nil {
		r.ahead = nil
		return *p, nil
	}
	return r.scan.next()
}

// checkSize refuses a source that did not end where it ended when it was
// scanned.
func (r *reader) checkSize() error {
	if r.scan.pos != r.source.size {
		return fmt.Errorf("read source %q: %w: it had %d bytes a moment ago, now %d (is it being written?)", r.source.path, safeio.ErrMismatch, r.source.size, r.scan.pos)
	}
	return nil
}

func (r *reader) closeSource() {
	if r.closer != nil {
		r.closer.Close()
	}
	*r = reader{}
}

// errStop ends an iteration whose consumer has enough.
var errStop = errors.New("stop")

// trainingDocs gives the documents of the sources that are not held out, in
// their order, until yield has enough.
func trainingDocs(ctx context.Context, sources []source, plan Plan, yield func(Doc) bool) error {
	var r reader
	defer r.closeSource()
	for _, s := range sources {
		err := r.segment(ctx, segment{s, 0, s.size}, plan, new(Report), func(d Doc) error {
			if d.Split == TrainSplit && !yield(d) {
				return errStop
			}
			return nil
		})
		if errors.Is(err, errStop) {
			return nil
		}
		if err != nil {
			return err
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
		err := o.Validate()
		var found, sources []source
		var report Report
		if err == nil {
			found, report, err = discover(ctx, o.Sources)
		}
		if err == nil {
			var scanned Report
			sources, scanned, err = scan(ctx, found, o.Workers, o.Progress)
			report.add(scanned)
		}
		if err == nil && len(sources) == 0 {
			err = nothing(report)
		}
		if err == nil {
			err = trainingDocs(ctx, sources, o.plan(sources), func(d Doc) bool { return yield(d, nil) })
		}
		if err != nil {
			yield(Doc{}, err)
		}
	}
}
