package pipeline

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// scan reads every source once, for its size, its hash and how it is encoded: a
// damaged archive or a changed corpus is then found before anything is written.
// Sources that turn out unreadable or without text are counted and left out.
func scan(ctx context.Context, found []*source, o Options) ([]*source, Report, error) {
	var total int64
	for _, s := range found {
		total += s.stored
	}
	var (
		m      = newMeter("scan", total, o.Progress)
		plan   = o.plan()
		spares = sync.Pool{New: func() any { return newSpare() }}
		mu     sync.Mutex
		report Report
	)
	err := each(ctx, o.Workers, len(found), func(ctx context.Context, i int) error {
		spare := spares.Get().(*spare)
		defer spares.Put(spare)
		s := found[i]
		stored := s.stored
		r, err := s.scan(ctx, plan, spare)
		if errors.Is(err, fs.ErrPermission) {
			r, s.size, err = Report{Unreadable: 1}, 0, nil
		}
		m.add(stored)
		mu.Lock()
		report.add(r)
		mu.Unlock()
		return err
	})
	kept := found[:0]
	for _, s := range found {
		if s.size > 0 {
			kept = append(kept, s)
		}
	}
	clear(found[len(kept):])
	return kept, report, err
}

// scan fills in what is found by reading a source.
func (s *source) scan(ctx context.Context, p Plan, m *spare) (Report, error) {
	f, err := newFeed(ctx, s, p, m)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	if s.stored, s.stamp, err = f.file.state(); err == nil {
		if err = f.measure(); err == nil {
			err = f.unchanged()
		}
	}
	if err != nil {
		return Report{}, f.explain(err)
	}
	return *f.report, nil
}

// measure hashes a source and sizes it.
func (f *feed) measure() error {
	s := f.source
	sum := sha256.New()
	f.beginning(sum)
	drain := func() error {
		f.spare.in.Reset(f.stored)
		_, err := f.spare.in.WriteTo(io.Discard)
		sum.Sum(s.sum[:0])
		return err
	}
	switch {
	case s.kind == kindParquet && s.packed == "":
		if err := drain(); err != nil {
			return err
		}
		rows, err := openRows(f.file, s.stored, f.plan.TextField, 0)
		switch {
		case errors.Is(err, errNoColumn):
			f.report.NoColumn++
		case err != nil:
			return err
		default:
			s.size = rows.extent()
		}
		return nil
	case (s.kind == kindText || s.kind == kindLines) && s.packed == "" && f.encoding() == "":
		s.size = s.stored
		if s.size == 0 {
			f.report.Empty++
		}
		return drain()
	}
	s.serial = true
	for {
		m, err := f.nextMember()
		if err == io.EOF {
			return drain()
		}
		if err != nil {
			return err
		}
		n, err := m.measure(f.report)
		if err != nil {
			return err
		}
		if n == 0 {
			f.report.Empty++
		}
		s.size += n
	}
}

// encoding says how a source that is text as it is stored is encoded.
func (f *feed) encoding() string {
	head := bufio.NewReaderSize(io.NewSectionReader(f.file, 0, f.source.stored), 16)
	return encodingOf(head, f.source.kind, f.plan.Encoding)
}

// identity sums up the names and contents of the sources.
func identity(sources []*source) Corpus {
	c := Corpus{Sources: len(sources)}
	sum := sha256.New()
	for _, s := range sources {
		fmt.Fprintf(sum, "%q %d %x\n", s.name, s.size, s.sum)
		c.Bytes += s.size
	}
	c.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return c
}
