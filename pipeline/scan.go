package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// scan reads every source once, for its size, its hash and its first bytes: a
// damaged archive or a changed corpus is then found before anything is written.
// Sources that turn out unreadable or UTF-16 are counted and left out.
func scan(ctx context.Context, found []source, workers int, progress func(Progress)) ([]source, Report, error) {
	var total int64
	for _, s := range found {
		total += s.stored
	}
	m := newMeter("scan", total, progress)
	unreadable := make([]bool, len(found))
	err := each(ctx, workers, len(found), func(ctx context.Context, i int) error {
		err := found[i].scan(ctx)
		if errors.Is(err, fs.ErrPermission) {
			unreadable[i], err = true, nil
		}
		m.add(found[i].stored)
		return err
	})
	var report Report
	var kept []source
	for i, s := range found {
		switch {
		case unreadable[i]:
			report.Unreadable++
		case s.utf16:
			report.UTF16++
		case s.size == 0:
			report.Empty++
		default:
			kept = append(kept, s)
		}
	}
	return kept, report, err
}

func (s *source) scan(ctx context.Context) error {
	r, err := openSource(*s, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	var head []byte
	buf := make([]byte, readSize)
	for {
		n, err := r.Read(buf)
		if len(head) < 2 {
			head = append(head, buf[:min(n, 2)]...)
		}
		sum.Write(buf[:n])
		s.size += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	s.utf16 = bytes.HasPrefix(head, []byte{0xFF, 0xFE}) || bytes.HasPrefix(head, []byte{0xFE, 0xFF})
	sum.Sum(s.sum[:0])
	return nil
}

// identity sums up the names and contents of the sources.
func identity(sources []source) Corpus {
	c := Corpus{Sources: len(sources)}
	sum := sha256.New()
	for _, s := range sources {
		fmt.Fprintf(sum, "%q %d %x\n", s.name, s.size, s.sum)
		c.Bytes += s.size
	}
	c.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return c
}
