package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// How documents are compared in order to leave out duplicates; the first in the
// order of the corpus stays.
const (
	DedupExact = "exact" // equal texts
	DedupNear  = "near"  // also those whose sets of five-word runs overlap
)

// DefaultSimilarity is the Jaccard similarity from which on documents are
// near-duplicates.
const DefaultSimilarity = 0.8

// nearOptions are the bands of a threshold.
type nearOptions struct {
	threshold   float64
	bands, rows int
	table       *wordTable
}

// nearOptionsOf is nil if near-duplicates stay.
func nearOptionsOf(dedup string, similarity float64) *nearOptions {
	if dedup != DedupNear {
		return nil
	}
	bands, rows := bandsFor(similarity)
	return &nearOptions{similarity, bands, rows, newWordTable()}
}

// comparison finds the duplicates of a corpus before its shards are made:
//
//	units ──▶ .work/compare-KEY/unit-00012 ──merge──▶ .work/drops-KEY
//	          ids, bands, sketches            (drops.go)
//	          (spill.go)
//
// KEY stands for the plan without its tokenizer. The file of a unit is what is
// redone after a crash; those of all units are merged by one goroutine, since
// what is decided last depends on what was decided before.
type comparison struct {
	options Options
	plan    Plan
	work    *work
	tasks   [][]unit
	near    *nearOptions
}

// dropsName is the file of duplicates of a plan.
func (p Plan) dropsName() string { return filepath.Join(workDir, "drops-"+p.compareKey()) }

func (p Plan) compareDir() string { return filepath.Join(workDir, "compare-"+p.compareKey()) }

func (p Plan) compareKey() string {
	p.Tokenizer = Vocabulary{}
	sum := sha256.Sum256(marshal(p))
	return hex.EncodeToString(sum[:8])
}

// drops returns the list of what a plan leaves out of a unit; nil, if nothing.
func (w *work) drops(p Plan, unit int) (*dropList, error) {
	if p.Dedup == "" {
		return nil, nil
	}
	return readDrops(w.path(p.dropsName()), unit)
}

// compare makes the file of duplicates of a plan, unless it is there.
func compare(ctx context.Context, o Options, plan Plan, w *work, tasks [][]unit) error {
	if plan.Dedup == "" {
		return nil
	}
	if _, err := os.Stat(w.path(plan.dropsName())); err == nil {
		return nil
	}
	c := comparison{options: o, plan: plan, work: w, tasks: tasks, near: nearOptionsOf(plan.Dedup, plan.Similarity)}
	dir := w.path(plan.compareDir())
	if err := o.FS.MkdirAll(dir); err != nil {
		return err
	}
	if err := o.FS.RemoveTemps(dir); err != nil {
		return err
	}
	if err := c.survey(ctx); err != nil {
		return err
	}
	if err := c.merge(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove %q: %w", dir, bare(err))
	}
	return nil
}

func (c *comparison) unitFile(unit int) string {
	return c.work.path(c.plan.compareDir(), fmt.Sprintf("unit-%05d", unit))
}

// survey writes the files of all units.
func (c *comparison) survey(ctx context.Context) error {
	progress := newMeter("compare", c.plan.Corpus.Bytes, c.options.Progress)
	return each(ctx, c.options.Workers, len(c.tasks), func(ctx context.Context, i int) error {
		var r reader
		defer r.closeSource()
		s := newCensus(c.near)
		for _, u := range c.tasks[i] {
			path := c.unitFile(u.index)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				var unread error
				err := c.options.FS.WriteFile(path, func(w io.Writer) error {
					var err error
					unread, err = c.unit(ctx, &r, u, s, w)
					return errors.Join(unread, err)
				})
				if unread != nil {
					return unread
				}
				if err != nil {
					return err
				}
			}
			progress.add(u.size())
		}
		return nil
	})
}

// unit writes the sections of a unit. It tells what cannot be read from what
// cannot be written.
func (c *comparison) unit(ctx context.Context, r *reader, u unit, s *census, w io.Writer) (unread, unwritten error) {
	write := func() error {
		_, unwritten = w.Write(s.take())
		return unwritten
	}
	for _, seg := range u.segments {
		err := r.segment(ctx, seg, c.plan, new(Report), func(d Doc) error {
			if s.add(d) {
				return write()
			}
			return nil
		})
		if unwritten != nil {
			return nil, unwritten
		}
		if err != nil {
			return err, nil
		}
	}
	if len(s.ids) == 0 {
		return nil, nil
	}
	return nil, write()
}

// mergeRecords is how many entries of a table are in memory at a time, 64 MiB.
// Beyond 1,024 times as many in all it is a 1,024th of them.
const mergeRecords = 64 << 20 / 24

// merge decides on every document and writes the file of duplicates.
func (c *comparison) merge(ctx context.Context) error {
	var sections []section
	var total, ids, keys uint64
	var docs []uint64 // of each unit
	for i := range countUnits(c.tasks) {
		s, err := readSections(c.unitFile(i), total)
		if err != nil {
			return err
		}
		sections = append(sections, s...)
		before := total
		for _, s := range s {
			total += uint64(s.docs)
			ids += uint64(s.ids)
			keys += uint64(s.keys)
		}
		docs = append(docs, total-before)
	}
	all := newFates(total)
	for _, s := range sections {
		data, err := s.read(s.at, s.fatesSize(), s.sums[0])
		if err != nil {
			return err
		}
		for i := range uint64(s.docs) {
			all.set(s.first+i, fates(data).get(i))
		}
	}
	err := eachRange(ctx, sections, ids, func(s section) (int64, int) { return s.idsAt(), idSize }, func(same []keyed) error {
		for _, e := range same[1:] {
			all.set(e.doc, exact)
		}
		return nil
	})
	if err == nil && c.near != nil {
		err = c.mergeNear(ctx, sections, keys, all)
	}
	if err != nil {
		return err
	}
	return c.options.FS.WriteFile(c.work.path(c.plan.dropsName()), func(w io.Writer) error {
		return writeDrops(w, docs, all)
	})
}

func (c *comparison) mergeNear(ctx context.Context, sections []section, keys uint64, all fates) error {
	// In one file a sketch is found by the number of its document.
	path := c.work.path(c.plan.compareDir(), "sketches")
	err := c.options.FS.WriteFile(path, func(w io.Writer) error {
		for _, s := range sections {
			data, err := s.read(s.sketchesAt(), int64(s.docs)*sketchSize, s.sums[1])
			if err == nil {
				_, err = w.Write(data)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %q: %w", path, bare(err))
	}
	defer file.Close()
	b := bucket{threshold: c.near.threshold, fates: all, sketch: func(doc uint64) (k sketch, err error) {
		if _, err = file.ReadAt(k[:], int64(doc)*sketchSize); err != nil {
			err = fmt.Errorf("read %q: %w", path, bare(err))
		}
		return k, err
	}}
	return eachRange(ctx, sections, keys, func(s section) (int64, int) { return s.keysAt(), keySize }, b.thin)
}

// eachRange calls do for the entries of one key in a table of all sections,
// which has n entries, by ascending key.
func eachRange(ctx context.Context, sections []section, n uint64, table func(section) (at int64, size int), do func([]keyed) error) error {
	step := blocks
	for step > 1 && n*uint64(step)/blocks > mergeRecords {
		step /= 2
	}
	var entries []keyed
	for from := 0; from < blocks; from += step {
		entries = entries[:0]
		for _, s := range sections {
			at, size := table(s)
			var err error
			if entries, err = s.take(entries, at, size, from, from+step); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		sortKeyed(entries)
		if err := eachKey(entries, do); err != nil {
			return err
		}
	}
	return nil
}

// bucket decides on documents that have the key of a band in common.
type bucket struct {
	threshold float64
	fates     fates
	sketch    func(doc uint64) (sketch, error)
	compared  []sketch
}

// representatives bounds how many documents of a bucket others are compared
// with, so that boilerplate that a million documents share takes linear time.
const representatives = 16

// thin drops every document that is similar enough to an earlier one of the
// bucket. What has been dropped already speaks for no other document.
func (b *bucket) thin(docs []keyed) error {
	gone := func(e keyed) bool { return b.fates.get(e.doc) != keep }
	if left := slices.IndexFunc(docs, func(e keyed) bool { return !gone(e) }); left < 0 || !slices.ContainsFunc(docs[left+1:], func(e keyed) bool { return !gone(e) }) {
		return nil
	}
	b.compared = b.compared[:0]
	for _, e := range docs {
		if gone(e) {
			continue
		}
		k, err := b.sketch(e.doc)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(b.compared, func(first sketch) bool { return first.similarity(&k) >= b.threshold }) {
			b.fates.set(e.doc, nearby)
		} else if len(b.compared) < representatives {
			b.compared = append(b.compared, k)
		}
	}
	return nil
}

// sweepComparisons removes what comparisons under other plans left in .work.
func (w *work) sweepComparisons(p Plan) error {
	entries, err := os.ReadDir(w.path(workDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list %q: %w", w.path(workDir), bare(err))
	}
	for _, e := range entries {
		kind, key, ok := strings.Cut(e.Name(), "-")
		if ok && (kind == "compare" || kind == "drops") && key != p.compareKey() {
			if err := os.RemoveAll(w.path(workDir, e.Name())); err != nil {
				return fmt.Errorf("remove %q: %w", w.path(workDir, e.Name()), bare(err))
			}
		}
	}
	return nil
}

func validateDedup(dedup string, similarity float64) error {
	if !slices.Contains([]string{"", DedupExact, DedupNear}, dedup) {
		return fmt.Errorf("leave out duplicates by %q: not one of exact, near", dedup)
	}
	if !(similarity > 0 && similarity <= 1) {
		return fmt.Errorf("leave out duplicates from a similarity of %v on: not in (0, 1]", similarity)
	}
	return nil
}
