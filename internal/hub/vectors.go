package hub

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// ofDim is the setting that embeddings fix.
func (s *Source) ofDim(d int) {
	const key = "model.embed_dim"
	s.settings, s.fixed = map[string]string{key: strconv.Itoa(d)}, []string{key}
}

// openTensors finds the embedding table of a safetensors file. Its rows are those
// of the tokens' ids.
func (s *Source) openTensors() error {
	f, err := safetensors.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	name, err := embeddings.FindTable(f)
	if err != nil {
		return fmt.Errorf("%w (%w)", err, safeio.ErrMismatch)
	}
	rows, d := f.Shape(name)[0], f.Shape(name)[1]
	s.ofDim(d)
	s.fill = func(b Beginning) (Taken, error) {
		f, err := safetensors.Open(s.path)
		if err != nil {
			return Taken{}, err
		}
		defer f.Close()
		vocab := b.Tokenizer.VocabSize()
		if rows < vocab {
			return Taken{}, fmt.Errorf("tensor %q has rows for %d tokens, the tokenizer of the shards has %d: make them with the tokenizer that the rows belong to: %w",
				name, rows, vocab, safeio.ErrMismatch)
		}
		table := make([]float32, rows*d)
		if err := f.Read(name, table); err != nil {
			return Taken{}, err
		}
		table = table[:vocab*d] // some tables are filled up to a round number
		if err := finite(name, table); err != nil {
			return Taken{}, err
		}
		taken := Taken{Unused: rows - vocab}
		for id := range vocab {
			if row := table[id*d : (id+1)*d]; directed(row) {
				copy(b.Model.Table.W[id*d:], row)
				taken.Rows++
			}
		}
		taken.Params = taken.Rows * d
		return taken, nil
	}
	return nil
}

// openText reads the first line of word vectors.
func (s *Source) openText() error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := embeddings.NewTextReader(f)
	if err != nil {
		return fmt.Errorf("%w (%w)", err, safeio.ErrCorrupt)
	}
	s.ofDim(r.D)
	s.fill = s.fillVectors
	return nil
}

// fillVectors gives tokens the rows of the words that they are.
func (s *Source) fillVectors(b Beginning) (Taken, error) {
	names := make([]string, b.Tokenizer.VocabSize())
	for id := range names {
		names[id] = word(b.Tokenizer.Token(int32(id)))
	}
	rows, all, err := readRows(s.path, names)
	if err != nil {
		return Taken{}, fmt.Errorf("%w (%w)", err, safeio.ErrCorrupt)
	}
	table := b.Model.Table
	taken := Taken{}
	for id, form := range assign(names, rows) {
		copy(table.W[id*table.D:(id+1)*table.D], rows[form])
		taken.Rows++
	}
	if taken.Rows == 0 {
		return Taken{}, fmt.Errorf("none of its %d rows is of a token of the shards' tokenizer (%s), which has %s: %w",
			all, b.Tokenizer.Kind(), examples(b.Tokenizer), safeio.ErrMismatch)
	}
	taken.Params, taken.Unused = taken.Rows*table.D, all-taken.Rows
	return taken, nil
}

// word is a token with the space before it as a space, where tokenizers have a
// sign for it: "▁" (SentencePiece) or "Ġ" (GPT-2).
func word(token string) string {
	for _, sign := range []string{"▁", "Ġ"} {
		if rest, ok := strings.CutPrefix(token, sign); ok {
			return " " + rest
		}
	}
	return token
}

// readRows reads the rows that tokens of these names could have, by their words,
// and the number of all rows. Of two rows for a word the first counts, and one of
// zeros for none.
func readRows(path string, names []string) (rows map[string][]float32, all int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	r, err := embeddings.NewTextReader(f)
	if err != nil {
		return nil, 0, err
	}
	rows = map[string][]float32{}
	for _, name := range names {
		rows[name], rows[strings.TrimPrefix(name, " ")] = nil, nil
	}
	for ; r.Next(); all++ {
		form := word(string(r.Form()))
		if row, ok := rows[form]; !ok || row != nil {
			continue
		}
		row := make([]float32, r.D)
		if err := r.Values(row); err != nil {
			return nil, 0, err
		}
		if directed(row) {
			rows[form] = row
		}
	}
	return rows, all, r.Err()
}

// directed reports whether a row is not of zeros, which have no direction: all
// such rows would be the same embedding, and none could be learned.
func directed(row []float32) bool {
	return slices.ContainsFunc(row, func(v float32) bool { return v != 0 })
}

// assign gives each row to one token, by ids: that of the same word or, as most
// files have words without spaces, that of the word behind a space. A token
// without the space, which is the inside of a word, has the row only where there
// is no token of the whole word.
func assign(names []string, rows map[string][]float32) map[int]string {
	of := map[int]string{}
	used := map[string]bool{}
	give := func(id int, form string) {
		if rows[form] != nil && !used[form] {
			of[id], used[form] = form, true
		}
	}
	for id, name := range names {
		if strings.HasPrefix(name, " ") {
			if give(id, name); of[id] == "" {
				give(id, name[1:])
			}
		}
	}
	for id, name := range names {
		if !strings.HasPrefix(name, " ") {
			give(id, name)
		}
	}
	return of
}

// examples are a few tokens from the middle of a vocabulary.
func examples(t *tokenize.Tokenizer) string {
	var some []string
	for k := range min(3, t.VocabSize()) {
		some = append(some, strconv.Quote(t.Token(int32(t.VocabSize()/2+k))))
	}
	return strings.Join(some, ", ")
}
