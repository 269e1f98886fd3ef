package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// differences counts the documents of a set in which ours and Hugging Face's differ.
type differences struct {
	documents, bytes int64
	ids, plain       int64 // in default settings, and with special tokens as text
	decoded          int64 // from Hugging Face's decoding of the same
	lossy            int64 // from the text itself
	processed        int64
	withSpecial      int64 // decoded with special tokens
	offsets          int64
	shown            int
}

// measureTokens compares ids and decoded texts, document by document.
func (d *driver) measureTokens(ctx context.Context) error {
	names, err := d.choose(d.names, d.tokenizers, ".json")
	if err != nil {
		return err
	}
	sets, err := d.choose(d.sets, d.corpus, ".jsonl")
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "file\tset\tdocuments\tMB\tids\tspecial as text\tprocessed\toffsets\tdecoded\twith special\tnot the text again")
	var marks []func()
	for _, name := range names {
		tok, err := tokenize.Load(d.tokenizer(name))
		if err != nil {
			fmt.Fprintf(t, "%s\tnot loaded: %v\n", name, err)
			marks = append(marks, func() { fmt.Printf("mark data.tokens.%s.differ not_loaded == 0 short\n", name) })
			continue
		}
		var sum differences
		for _, set := range sets {
			found, err := d.compare(ctx, tok, name, set)
			if err != nil {
				return err
			}
			found.row(t, name, set)
			sum.add(found)
		}
		sum.row(t, name, "all")
		t.Flush()
		byteLevel := tok.Kind() == tokenize.KindBPE && d.byteLevel(name)
		marks = append(marks, func() {
			mark("data.tokens."+name+".differ", float64(sum.ids+sum.plain+sum.processed), "==", 0)
			mark("data.tokens."+name+".offsets", float64(sum.offsets), "==", 0)
			mark("data.tokens."+name+".decoded", float64(sum.decoded+sum.withSpecial), "==", 0)
			if byteLevel {
				mark("data.tokens."+name+".round_trip", float64(sum.lossy), "==", 0)
			}
			mark("data.tokens."+name+".mb", float64(sum.bytes)/1e6, ">=", 100)
		})
	}
	t.Flush()
	for _, m := range marks {
		m()
	}
	return nil
}

// choose takes all names in a directory if none is given.
func (d *driver) choose(names []string, dir, extension string) ([]string, error) {
	if len(names) > 0 {
		return names, nil
	}
	return namesIn(dir, extension)
}

// byteLevel tells files that are lossless by construction.
func (d *driver) byteLevel(name string) bool {
	data, err := os.ReadFile(d.tokenizer(name))
	return err == nil && strings.Contains(string(data), `"ByteLevel"`) && !strings.Contains(string(data), `"NFC"`)
}

func (d *differences) add(o differences) {
	d.documents += o.documents
	d.bytes += o.bytes
	d.ids += o.ids
	d.plain += o.plain
	d.decoded += o.decoded
	d.lossy += o.lossy
	d.processed += o.processed
	d.withSpecial += o.withSpecial
	d.offsets += o.offsets
}

func (d *differences) row(t *tabwriter.Writer, name, set string) {
	fmt.Fprintf(t, "%s\t%s\t%d\t%.1f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", name, set,
		d.documents, float64(d.bytes)/1e6, d.ids, d.plain, d.processed, d.offsets, d.decoded, d.withSpecial, d.lossy)
}

// offsetSets are the sets in which offsets are compared: the small ones.
var offsetSets = []string{"emoji", "unicode", "weird"}

func (d *driver) compare(ctx context.Context, tok *tokenize.Tokenizer, name, set string) (found differences, err error) {
	path, err := d.truth(ctx, "truth", name, set)
	if err != nil {
		return found, err
	}
	want, err := openTruth(path)
	if err != nil {
		return found, err
	}
	defer want.close()
	var places *readTruth
	if slices.Contains(offsetSets, set) {
		if path, err = d.truth(ctx, "offsets", name, set); err != nil {
			return found, err
		}
		if places, err = openTruth(path); err != nil {
			return found, err
		}
		defer places.close()
	}
	c := comparison{plain: tok, special: tok.WithSpecial(), differences: &found, name: name, set: set}
	err = eachDocument(d.set(set), 0, func(doc string) error {
		w, err := want.next(doc)
		if err != nil {
			return err
		}
		found.documents++
		found.bytes += int64(len(doc))
		c.tokens(doc, w)
		c.texts(doc, w)
		if places == nil {
			return nil
		}
		where, err := places.nextOffsets()
		if err == nil {
			c.offsets(doc, where)
		}
		return err
	})
	if err == nil {
		err = want.ended()
	}
	return found, err
}

// comparison is of one tokenizer on one set.
type comparison struct {
	plain, special *tokenize.Tokenizer // without and with special tokens in the text
	*differences
	name, set string
	ids       []int32
	text      []byte
}

// shortText is the length in characters below which truth.py asks the post-processor.
const shortText = 200

func (c *comparison) tokens(doc string, w truth) {
	for _, mode := range []struct {
		name  string
		tok   *tokenize.Tokenizer
		want  []int32
		count *int64
	}{{"default", c.special, w.ids, &c.differences.ids}, {"special as text", c.plain, w.plain, &c.differences.plain}} {
		c.ids = mode.tok.Encode(c.ids[:0], doc)
		if !slices.Equal(c.ids, mode.want) {
			*mode.count++
			c.show(c.name, c.set, mode.name, doc, c.ids, mode.want)
		}
	}
	if utf8.RuneCountInString(doc) >= shortText {
		return
	}
	if processed := c.special.PostProcess(nil, w.ids); !slices.Equal(processed, w.processed) {
		c.processed++
		c.show(c.name, c.set, "processed", doc, processed, w.processed)
	}
}

func (c *comparison) texts(doc string, w truth) {
	c.text = c.plain.Decode(c.text[:0], w.plain)
	if string(c.text) != w.decoded {
		c.decoded++
		c.showText(c.name, c.set, "decoded", doc, string(c.text), w.decoded)
	}
	if string(c.text) != doc {
		c.lossy++
	}
	c.text = c.special.Decode(c.text[:0], w.ids)
	if string(c.text) != w.withSpecial {
		c.withSpecial++
		c.showText(c.name, c.set, "decoded with special", doc, string(c.text), w.withSpecial)
	}
}

func (c *comparison) offsets(doc string, want []int32) {
	_, places := c.special.EncodeOffsets(doc)
	got := make([]int32, 0, 2*len(places))
	for _, p := range places {
		got = append(got, int32(p.Start), int32(p.End))
	}
	if !slices.Equal(got, want) {
		c.differences.offsets++
		c.show(c.name, c.set, "offsets", doc, got, want)
	}
}

// truth makes a file of what Hugging Face tokenizers says, unless it is there and newer
// than what it is made of.
func (d *driver) truth(ctx context.Context, job, name, set string) (string, error) {
	path := filepath.Join(d.out, job, name+"."+set)
	made, err := os.Stat(path)
	if err == nil && newer(made, d.tokenizer(name)) && newer(made, d.set(set)) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "Hugging Face encodes %s with %s (%s)\n", set, name, job)
	spec := encodeSpec(map[string]any{"job": job, "tokenizer": d.tokenizer(name), "set": d.set(set), "out": path})
	if out, err := exec.CommandContext(ctx, d.python, d.peer, spec).CombinedOutput(); err != nil {
		return "", fmt.Errorf("encode by Hugging Face: %w: %s", err, lastLine(string(out)))
	}
	return path, nil
}

func newer(made os.FileInfo, source string) bool {
	s, err := os.Stat(source)
	return err == nil && made.ModTime().After(s.ModTime()) || errors.Is(err, os.ErrNotExist)
}

const mostShown = 5 // differences of a set

func (d *differences) show(name, set, mode, doc string, got, want []int32) {
	d.shown++
	if d.shown > mostShown {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	fmt.Fprintf(os.Stderr, "%s %s document %d (%s): token %d: ours %v, theirs %v, of %.80q\n",
		name, set, d.documents, mode, i, around(got, i), around(want, i), doc)
}

// around are the ids from one before place i.
func around(ids []int32, i int) []int32 {
	return ids[max(0, min(i-1, len(ids))):min(len(ids), i+5)]
}

func (d *differences) showText(name, set, mode, doc, got, want string) {
	d.shown++
	if d.shown > mostShown {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := max(0, i-10)
	fmt.Fprintf(os.Stderr, "%s %s document %d (%s): byte %d: ours %.60q, theirs %.60q, of %.60q\n",
		name, set, d.documents, mode, i, got[min(from, len(got)):], want[min(from, len(want)):], doc)
}
