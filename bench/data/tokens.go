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

	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// differences counts the documents of a set in which ours and Hugging Face's differ.
type differences struct {
	documents, bytes int64
	ids, plain       int64 // in default settings, and with special tokens as text
	decoded          int64 // from Hugging Face's decoding of the same
	lossy            int64 // from the text itself
	processed        int64
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
	fmt.Fprintln(t, "file\tset\tdocuments\tMB\tids differ\tspecial as text\tprocessed\tdecoded\tnot the text again")
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
			mark("data.tokens."+name+".decoded", float64(sum.decoded), "==", 0)
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
}

func (d *differences) row(t *tabwriter.Writer, name, set string) {
	fmt.Fprintf(t, "%s\t%s\t%d\t%.1f\t%d\t%d\t%d\t%d\t%d\n", name, set, d.documents, float64(d.bytes)/1e6, d.ids, d.plain, d.processed, d.decoded, d.lossy)
}

func (d *driver) compare(ctx context.Context, tok *tokenize.Tokenizer, name, set string) (found differences, err error) {
	path, err := d.truth(ctx, name, set)
	if err != nil {
		return found, err
	}
	want, err := openTruth(path)
	if err != nil {
		return found, err
	}
	defer want.close()
	var ids []int32
	var text []byte
	err = eachDocument(d.set(set), 0, func(doc string) error {
		w, err := want.next(doc)
		if err != nil {
			return err
		}
		found.documents++
		found.bytes += int64(len(doc))
		ids = tok.Encode(ids[:0], doc)
		if !slices.Equal(ids, w.plain) {
			found.plain++
			found.show(name, set, "special as text", doc, ids, w.plain)
		}
		text = tok.Decode(text[:0], w.plain)
		if string(text) != w.decoded {
			found.decoded++
			found.showText(name, set, doc, string(text), w.decoded)
		}
		if string(text) != doc {
			found.lossy++
		}
		return nil
	})
	if err == nil {
		err = want.ended()
	}
	return found, err
}

// truth makes the file of Hugging Face's tokens, unless it is there and newer than
// what it is made of.
func (d *driver) truth(ctx context.Context, name, set string) (string, error) {
	path := filepath.Join(d.out, "truth", name+"."+set)
	made, err := os.Stat(path)
	if err == nil && newer(made, d.tokenizer(name)) && newer(made, d.set(set)) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "Hugging Face encodes %s with %s\n", set, name)
	spec := encodeSpec(map[string]any{"job": "truth", "tokenizer": d.tokenizer(name), "set": d.set(set), "out": path})
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

func (d *differences) showText(name, set, doc, got, want string) {
	d.shown++
	if d.shown > mostShown {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := max(0, i-10)
	fmt.Fprintf(os.Stderr, "%s %s document %d (decoded): byte %d: ours %.60q, theirs %.60q, of %.60q\n",
		name, set, d.documents, i, got[min(from, len(got)):], want[min(from, len(want)):], doc)
}
