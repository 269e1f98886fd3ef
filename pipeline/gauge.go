package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"
)

// gauge estimates the sizes of sources that would have to be read to the end for
// it, from the beginnings of some of them.
type gauge struct {
	ctx     context.Context
	plan    Plan
	spare   *spare
	seconds float64 // estimated, to scan all of these sources
}

// Of the sources of a kind, gaugeSources are begun, and give about gaugeText
// bytes in all.
const (
	gaugeSources = 16
	gaugeText    = 64 << 20
)

// wrapping is what sources have in common that unfold alike.
type wrapping struct {
	kind   kind
	packed string
}

// sizes fills in the sizes and leaves out sources without text.
func (g *gauge) sizes(found []*source) ([]*source, error) {
	serial := map[wrapping][]*source{}
	var kept []*source
	for _, s := range found {
		switch {
		case s.kind == kindParquet && s.packed == "":
			if err := g.table(s); err != nil {
				return nil, err
			}
		case (s.kind == kindText || s.kind == kindLines || s.kind == kindOther) && s.packed == "" && g.plan.Encoding == "":
			s.size = s.stored
		case s.stored > 0:
			s.serial, s.guessed = true, true
			w := wrapping{s.kind, s.packed}
			serial[w] = append(serial[w], s)
		}
	}
	for _, sources := range serial {
		if err := g.ratio(sources); err != nil {
			return nil, err
		}
	}
	for _, s := range found {
		if s.size > 0 {
			kept = append(kept, s)
		}
	}
	return kept, nil
}

// table asks the footer.
func (g *gauge) table(s *source) error {
	f, err := newFeed(g.ctx, s, g.plan, g.spare)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := openRows(f.file, s.stored, g.plan.TextField, 0)
	if errors.Is(err, errNoColumn) {
		return nil
	}
	if err != nil {
		return f.explain(err)
	}
	s.size = rows.extent()
	return nil
}

// ratio sizes the sources of one format.
func (g *gauge) ratio(sources []*source) error {
	var text, stored, all int64
	begun := time.Now()
	n := min(gaugeSources, len(sources))
	for i := range n {
		t, s, err := g.unfold(sources[i*len(sources)/n], gaugeText/int64(n))
		if err != nil {
			return err
		}
		text, stored = text+t, stored+s
	}
	took := time.Since(begun).Seconds()
	for _, s := range sources {
		s.size = int64(float64(text) / float64(stored) * float64(s.stored))
		all += s.stored
	}
	g.seconds += took * float64(all) / float64(stored)
	return nil
}

// unfold returns how much text, about up to a limit, comes from how many bytes
// at the beginning of a source.
func (g *gauge) unfold(s *source, limit int64) (text, from int64, err error) {
	f, err := newFeed(g.ctx, s, g.plan, g.spare)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	f.beginning(sha256.New())
	for text < limit {
		m, err := f.nextMember()
		if err == io.EOF {
			return text, s.stored, nil
		}
		if err == nil && m.rows == nil && f.archive == nil {
			var n int64
			if n, err = io.CopyN(io.Discard, m.text, limit); err == io.EOF {
				return text + n, s.stored, nil
			}
			text += n
		} else if err == nil {
			var n int64
			n, err = m.measure(f.report)
			text += n
		}
		if err != nil {
			return 0, 0, f.explain(err)
		}
	}
	from, err = f.stored.(*stored).in.(io.Seeker).Seek(0, io.SeekCurrent)
	return text, max(from, 1), err
}

// stamp has the sources of a unit pass for scanned.
func (g *gauge) stamp(u unit) error {
	for _, seg := range u.segments {
		s := seg.source
		f, err := newFeed(g.ctx, s, g.plan, g.spare)
		if err != nil {
			return err
		}
		s.stored, s.stamp, err = f.file.state()
		f.Close()
		if err != nil {
			return f.explain(err)
		}
	}
	return nil
}
