package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/judge"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// judgeText bounds the training text that the counting judge reads, in bytes:
// its tables are about twenty times as large.
const judgeText = 16 << 20

// heldOut is the text that a run is tried on.
type heldOut struct {
	Text
	stream *pipeline.Stream
	tok    *tokenize.Tokenizer
	ids    []int32 // [Windows, Length]
	texts  []text  // the windows
}

// openHeldOut opens the held-out shards: those named, or those that the run had,
// or the val split of what it learned from.
func openHeldOut(ctx context.Context, m *trainer.Trained, o Options) (*heldOut, error) {
	h := &heldOut{tok: m.Tokenizer, Text: Text{Data: o.HeldOut, Split: "train", Length: m.Config.Data.Length}}
	if h.Data == "" {
		h.Data = m.Config.Data.HeldOut
	}
	if h.Data == "" {
		h.Data, h.Split = m.Config.Data.Stream, "val"
	}
	if h.Data == "-" {
		return nil, fmt.Errorf("the run learned from standard input and has no held-out text: name shards of some: %w", safeio.ErrNotFound)
	}
	set, err := pipeline.OpenAt(ctx, h.Data, nil)
	if err != nil {
		return nil, err
	}
	file, err := set.Tokenizer()
	if err != nil {
		return nil, err
	}
	tok, err := tokenize.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("read the tokenizer of %q: %w (%w)", h.Data, err, safeio.ErrCorrupt)
	}
	if tok.Hash() != m.Tokenizer.Hash() {
		return nil, fmt.Errorf("held-out shards %q have another tokenizer than the run: prepare them with that of the run: %w", h.Data, safeio.ErrMismatch)
	}
	h.stream, err = set.Stream(pipeline.StreamOptions{Split: h.Split, Length: h.Length, Seed: o.Sampler.Seed})
	if errors.Is(err, safeio.ErrNotFound) {
		return nil, fmt.Errorf("%q has no held-out text: no window of %d tokens in its %s split: %w", h.Data, h.Length, h.Split, safeio.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if err := h.read(o.Windows); err != nil {
		return nil, errors.Join(err, h.stream.Close())
	}
	return h, nil
}

// read takes the first windows.
func (h *heldOut) read(windows int) error {
	h.Windows = min(windows, h.stream.Windows())
	if h.Windows < 2 {
		return fmt.Errorf("%q has %d windows of %d tokens, and an error needs two: %w", h.Data, h.Windows, h.Length, safeio.ErrNotFound)
	}
	h.Tokens = h.Windows * h.Length
	h.ids = make([]int32, h.Tokens)
	for i := range h.Windows {
		if err := h.stream.Window(h.window(i), 0, i); err != nil {
			return err
		}
		h.texts = append(h.texts, text{trainer.Text(h.tok, h.window(i)), h.window(i)})
		bytes, characters := size(h.tok, h.window(i))
		h.Bytes += int(bytes)
		h.Characters += int(characters)
	}
	return nil
}

func (h *heldOut) window(i int) []int32 { return h.ids[i*h.Length : (i+1)*h.Length] }

// size is the length of the text of some tokens, without what marks the ends of
// documents.
func size(tok *tokenize.Tokenizer, ids []int32) (bytes, characters float64) {
	var text []byte
	for begin := 0; begin < len(ids); {
		end := begin
		for end < len(ids) && ids[end] != tok.EOS() {
			end++
		}
		text = tok.Decode(text[:0], ids[begin:end])
		bytes += float64(len(text))
		characters += float64(utf8.RuneCount(text))
		begin = end + 1
	}
	return bytes, characters
}

// newJudge makes the counting judge of the run's training text, nil if there is
// none to be had: that of standard input is gone.
func newJudge(ctx context.Context, m *trainer.Trained, file string) (*judge.Judge, *TrainingText, error) {
	t := &TrainingText{Data: file, Order: judge.MaxOrder, Whole: true}
	var text string
	switch {
	case file != "":
		all, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("read training text: %w", err)
		}
		text = string(all)
	case m.Config.Data.Stream == "-":
		return nil, nil, nil
	default:
		t.Data = m.Config.Data.Stream
		var err error
		if text, err = trainingText(ctx, t.Data); err != nil {
			return nil, nil, err
		}
	}
	if len(text) > judgeText {
		end := judgeText
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text, t.Whole = text[:end], false
	}
	j, err := judge.New(text)
	if err != nil {
		return nil, nil, fmt.Errorf("training text %q: %w", t.Data, err)
	}
	t.Characters = utf8.RuneCountInString(text)
	return j, t, nil
}

// trainingText joins the documents of the train split with blank lines, as
// [trainer.Text] does, until there is more than enough.
func trainingText(ctx context.Context, location string) (string, error) {
	set, err := pipeline.OpenAt(ctx, location, nil)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for doc, err := range set.Docs("train") {
		if err != nil {
			return "", err
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(doc.Text)
		if b.Len() > judgeText {
			break
		}
	}
	return b.String(), nil
}
