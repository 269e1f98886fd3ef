package pipeline

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// feed reads a source, layer upon layer:
//
//	stored bytes ─▶ unpack ─▶ files of an archive ─▶ unpack ─▶ decode ─▶ pieces
//
// The coordinate of a source, of which units are ranges, counts the bytes of
// decoded text, of the files of an archive one behind the other; for Parquet,
// which can be read from the middle, those that its footer states.
type feed struct {
	ctx    context.Context
	source *source
	plan   Plan
	spare  *spare
	report *Report // what is left out of archives, and how files are encoded

	file    object
	stored  io.Reader
	outer   *budget     // of what the source itself unfolds to
	inner   *budget     // of the files in an archive, together
	archive *tar.Reader // nil if it is none
	opened  bool        // the only file of a source that is no archive
	spooled *os.File    // a file of it that is read from anywhere, or nil

	name string // of the source, or of the file in it
	base int64  // where that begins
	docs pieces // of that
}

// pieces are those of one file, in order.
type pieces interface {
	next() (piece, error)
	// extent is how much of the coordinate they took, at their end.
	extent() int64
}

// spare is the memory that one source after the other is read with.
type spare struct {
	in, text *bufio.Reader
	scan     scanner
}

func newSpare() *spare {
	return &spare{in: bufio.NewReaderSize(nil, readSize), text: bufio.NewReaderSize(nil, readSize)}
}

// openFeed opens a source that was scanned, at byte from of its coordinate. What
// it gives may begin before.
func openFeed(ctx context.Context, s *source, p Plan, from int64, m *spare) (*feed, error) {
	f, err := newFeed(ctx, s, p, m)
	if err != nil {
		return nil, err
	}
	if err = f.unchanged(); err == nil {
		err = f.begin(from)
	}
	if err != nil {
		f.Close()
		return nil, f.explain(err)
	}
	return f, nil
}

func newFeed(ctx context.Context, s *source, p Plan, m *spare) (*feed, error) {
	f := &feed{ctx: ctx, source: s, plan: p, spare: m, report: new(Report), name: s.name}
	var err error
	if f.file, err = s.place.open(s.name); err != nil {
		return nil, f.explain(err)
	}
	return f, nil
}

// unchanged refuses a source that is no longer what was scanned: its documents
// would not be those of the plan.
func (f *feed) unchanged() error {
	_, stamp, err := f.file.state()
	if err == nil && stamp != f.source.stamp {
		err = fmt.Errorf("%w: it has changed since it was scanned (is it being written?)", safeio.ErrMismatch)
	}
	return err
}

func (f *feed) begin(from int64) (err error) {
	s := f.source
	switch {
	case s.serial:
		f.beginning(nil)
	case s.kind == kindParquet:
		f.docs, err = openRows(f.file, s.stored, f.plan.TextField, from)
	default:
		l := layoutOf(s.kind, f.plan)
		at := min(l.before(from), s.size) // a unit may have no document at all
		f.spare.in.Reset(&stored{ctx: f.ctx, in: io.NewSectionReader(f.file, at, s.stored-at)})
		f.docs, err = f.spare.scan.begin(f.spare.in, l, at)
	}
	return err
}

// beginning stands before the first file of a source that is read from its
// beginning. What is stored goes through sum.
func (f *feed) beginning(sum hash.Hash) {
	s := f.source
	f.outer, f.inner = newBudget(s.stored), newBudget(s.stored)
	f.stored = &stored{ctx: f.ctx, in: io.NewSectionReader(f.file, 0, s.stored), sum: sum}
	if s.kind == kindTar {
		f.archive = tar.NewReader(unpack(s.packed, f.stored, f.outer))
	}
}

// next returns the next piece of the source, or io.EOF.
func (f *feed) next() (piece, error) {
	for {
		if f.docs == nil {
			m, err := f.nextMember()
			if err == io.EOF {
				return piece{}, io.EOF
			}
			if err == nil {
				f.docs, err = m.pieces(f)
			}
			if err != nil {
				return piece{}, f.explain(err)
			}
		}
		p, err := f.docs.next()
		if err == nil {
			p.start += f.base
			return p, nil
		}
		if err != io.EOF {
			return piece{}, f.explain(err)
		}
		f.base += f.docs.extent()
		f.docs = nil
		if !f.source.serial {
			return piece{}, io.EOF
		}
	}
}

// nextMember opens the next file of a serial source; io.EOF behind the last.
func (f *feed) nextMember() (*member, error) {
	if f.archive != nil {
		return f.nextInArchive()
	}
	if f.opened {
		return nil, io.EOF
	}
	f.opened = true
	m, err := f.member(f.source.kind, unpack(f.source.packed, f.stored, f.outer))
	if m == nil && err == nil {
		err = io.EOF
	}
	return m, err
}

// whole says whether a source that has given its last piece is the one that was
// scanned.
func (f *feed) whole() error {
	if err := f.check(); err != nil {
		return err
	}
	if f.base != f.source.size && !f.source.guessed {
		return f.explain(fmt.Errorf("%w: it had %d bytes a moment ago, now %d (is it being written?)", safeio.ErrMismatch, f.source.size, f.base))
	}
	return nil
}

// check is unchanged, with the name of the source.
func (f *feed) check() error {
	if err := f.unchanged(); err != nil {
		return f.explain(err)
	}
	return nil
}

func (f *feed) explain(err error) error {
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	verb := "read"
	if f.source.packed != "" && (errors.Is(err, safeio.ErrCorrupt) || errors.Is(err, safeio.ErrLimit)) {
		verb = "decompress"
	}
	if f.name != f.source.name {
		err = fmt.Errorf("file %q in it: %w", f.name[len(f.source.name)+1:], err)
	}
	return fmt.Errorf("%s source %q: %w", verb, f.source.path(), err)
}

func (f *feed) Close() error {
	f.spooled.Close()
	return f.file.Close()
}

// stored reads the bytes of a source in order.
type stored struct {
	ctx context.Context
	in  io.Reader
	sum hash.Hash // or nil
}

func (s *stored) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, storedError{context.Cause(s.ctx)}
	}
	n, err := s.in.Read(p)
	if s.sum != nil {
		s.sum.Write(p[:n])
	}
	if err != nil && err != io.EOF {
		err = storedError{bare(err)}
	}
	return n, err
}

// member is an open file of a source.
type member struct {
	kind kind
	text *bufio.Reader // decoded; of HTML, what is extracted
	html *htmlText     // that text reads, or nil
	csv  *csvReader    // that reads text, or nil
	rows *rows         // of Parquet, or nil
}

// member opens a file whose bytes are those of r; nil if it has no text, which
// is counted.
func (f *feed) member(k kind, r io.Reader) (*member, error) {
	m := &member{kind: k}
	if k == kindParquet {
		var err error
		m.rows, err = f.spooledRows(r)
		if errors.Is(err, errNoColumn) {
			f.report.NoColumn++
			return nil, nil
		}
		return m, err
	}
	in := f.spare.in
	in.Reset(r)
	encoding := encodingOf(in, k, f.plan.Encoding)
	if encoding != f.plan.Encoding && isWide(encoding) {
		f.report.UTF16++
	}
	if k != kindText && k != kindLines { // a scanner counts it with its document
		if head, _ := in.Peek(len(utf8Mark)); bytes.Equal(head, utf8Mark) {
			in.Discard(len(utf8Mark))
		}
	}
	decoded := decoder(in, encoding)
	if k == kindHTML {
		m.html = newHTMLText(decoded)
		decoded = m.html
	}
	if m.text = in; decoded != io.Reader(in) {
		m.text = f.spare.text
		m.text.Reset(decoded)
	}
	var err error
	if k == kindCSV || k == kindTSV {
		m.csv, err = newCSV(m.text, k, f.plan.TextField)
		if m.csv == nil && err == nil {
			f.report.NoColumn++
			return nil, nil
		}
	}
	return m, err
}

// pieces are those of the file.
func (m *member) pieces(f *feed) (pieces, error) {
	switch {
	case m.rows != nil:
		return m.rows, nil
	case m.csv != nil:
		return m.csv, nil
	}
	return f.spare.scan.begin(m.text, layoutOf(m.kind, f.plan), 0)
}

// measure reads the file to its end, for its extent alone.
func (m *member) measure(report *Report) (int64, error) {
	if m.rows != nil {
		return m.rows.extent(), nil
	}
	n, err := io.Copy(io.Discard, m.text)
	if m.csv != nil {
		n += m.csv.pos
	}
	if m.html != nil && m.html.lost {
		report.CutPages++
	}
	return n, err
}
