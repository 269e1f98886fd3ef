package tokenize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maxFile bounds a tokenizer.json: twice the largest in wide use (Gemma 3, 33 MB).
const maxFile = 64 << 20

// Load reads a tokenizer.json of at most 64 MiB. Errors about its content wrap
// ErrFormat and name the file.
func Load(path string) (*Tokenizer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %q: %w", path, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("load tokenizer %q: %w: more than %d MiB", path, ErrFormat, maxFile>>20)
	}
	t, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %q: %w", path, err)
	}
	return t, nil
}

// Parse reads a tokenizer.json: a byte-level BPE as GPT-2 has it, or what
// [Tokenizer.JSON] wrote. A file that asks for anything that this package does not do
// is refused with an error that wraps ErrFormat and names the part, because to ignore
// it would give other ids than the file's author got.
func Parse(data []byte) (*Tokenizer, error) {
	var f file
	if err := strict(data, &f); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	for _, part := range []struct {
		name  string
		value json.RawMessage
	}{{"truncation", f.Truncation}, {"padding", f.Padding}, {"normalizer", f.Normalizer}} {
		if !isNull(part.value) {
			return nil, refuse(part.name, part.value)
		}
	}
	if !isNull(f.PostProcessor) {
		if err := checkByteLevel("post_processor", f.PostProcessor); err != nil {
			return nil, err
		}
	}
	switch kind := typeOf(f.Model); kind {
	case "BPE":
		return parseBPE(&f)
	case "WordLevel":
		return parseChar(&f)
	default:
		return nil, refuse("model", f.Model)
	}
}

func parseBPE(f *file) (*Tokenizer, error) {
	if err := checkByteLevel("pre_tokenizer", f.PreTokenizer); err != nil {
		return nil, err
	}
	if err := checkByteLevel("decoder", f.Decoder); err != nil {
		return nil, err
	}
	var m bpeModel
	if err := strict(f.Model, &m); err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	for _, option := range []struct {
		name  string
		asked bool
	}{
		{"dropout", m.Dropout != nil && *m.Dropout != 0},
		{"continuing_subword_prefix", m.ContinuingSubwordPrefix != nil && *m.ContinuingSubwordPrefix != ""},
		{"end_of_word_suffix", m.EndOfWordSuffix != nil && *m.EndOfWordSuffix != ""},
		{"byte_fallback", m.ByteFallback},
		{"ignore_merges", m.IgnoreMerges},
	} { // unk_token and fuse_unk ask for nothing: every byte has a token
		if option.asked {
			return nil, fmt.Errorf("%w: model: %s is not implemented", ErrFormat, option.name)
		}
	}
	forms, special, err := addTokens(m.Vocab, f.AddedTokens)
	if err != nil {
		return nil, err
	}
	tokens := make([]string, len(forms))
	ids := make(map[string]int32, len(forms))
	byChar := byteOf(byteAlphabet())
	for id, form := range forms {
		ids[form] = int32(id)
		if special[id] {
			tokens[id] = form
		} else if tokens[id], err = raw(byChar, form); err != nil {
			return nil, err
		}
	}
	merges := make([][2]int32, len(m.Merges))
	for rank, pair := range m.Merges {
		for side, form := range pair {
			id, ok := ids[form]
			if !ok {
				return nil, fmt.Errorf("%w: merge %d names %q, which is not in the vocabulary", ErrFormat, rank, form)
			}
			merges[rank][side] = id
		}
	}
	return newByteLevel(tokens, special, merges)
}

func parseChar(f *file) (*Tokenizer, error) {
	var s split
	if typeOf(f.PreTokenizer) != "Split" {
		return nil, refuse("pre_tokenizer", f.PreTokenizer)
	}
	if err := strict(f.PreTokenizer, &s); err != nil {
		return nil, fmt.Errorf("%w: pre_tokenizer: %v", ErrFormat, err)
	}
	if s.Pattern.Regex != anyCharacter || s.Behavior != "Isolated" || s.Invert {
		return nil, refuse("pre_tokenizer", f.PreTokenizer)
	}
	if typeOf(f.Decoder) != "Fuse" {
		return nil, refuse("decoder", f.Decoder)
	}
	var m wordLevelModel
	if err := strict(f.Model, &m); err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	tokens, special, err := addTokens(m.Vocab, f.AddedTokens)
	if err != nil {
		return nil, err
	}
	for id, token := range tokens {
		if single := utf8.RuneCountInString(token) == 1; single == special[id] {
			return nil, fmt.Errorf("%w: token %q: one character must be text, and any more a special token", ErrFormat, token)
		}
	}
	t := newChar(tokens, special)
	if t.unk < 0 || tokens[t.unk] != m.UnkToken {
		return nil, fmt.Errorf("%w: model: unk_token %q is not a special token of the file that is known to mean an unknown character", ErrFormat, m.UnkToken)
	}
	return t, nil
}

// addTokens returns the vocabulary with the added tokens in it, and which are special.
// An added token is in the vocabulary under its id, or is the next after its end.
func addTokens(v vocab, added []addedToken) (tokens []string, special []bool, err error) {
	tokens = v
	special = make([]bool, len(v), len(v)+len(added))
	for _, a := range added {
		switch {
		case !a.Special:
			return nil, nil, fmt.Errorf("%w: added token %q is not special; to split such tokens out of text is not implemented", ErrFormat, a.Content)
		case a.Content == "":
			return nil, nil, fmt.Errorf("%w: added token %d is empty", ErrFormat, a.ID)
		case a.ID == int64(len(tokens)) && len(tokens) < maxVocab:
			tokens, special = append(tokens, a.Content), append(special, true)
		case 0 <= a.ID && a.ID < int64(len(v)) && v[a.ID] == a.Content && !special[a.ID]:
			special[a.ID] = true
		default:
			return nil, nil, fmt.Errorf("%w: added token %q has id %d, which is taken, of another token, or leaves a hole", ErrFormat, a.Content, a.ID)
		}
	}
	names := make(map[string]bool, len(tokens))
	for _, token := range tokens {
		if names[token] {
			return nil, nil, fmt.Errorf("%w: token %q has two ids", ErrFormat, token)
		}
		names[token] = true
	}
	return tokens, special, nil
}

// checkByteLevel accepts a part that is GPT-2's ByteLevel.
func checkByteLevel(name string, value json.RawMessage) error {
	if typeOf(value) != "ByteLevel" {
		return refuse(name, value)
	}
	var b byteLevel
	if err := strict(value, &b); err != nil {
		return fmt.Errorf("%w: %s: %v", ErrFormat, name, err)
	}
	if name != "pre_tokenizer" {
		return nil // the options concern encoding, or offsets into the text
	}
	if b.AddPrefixSpace == nil || *b.AddPrefixSpace {
		return fmt.Errorf("%w: %s: ByteLevel with add_prefix_space is not implemented, because the text could not be restored", ErrFormat, name)
	}
	if b.UseRegex != nil && !*b.UseRegex {
		return fmt.Errorf("%w: %s: ByteLevel without use_regex is not implemented", ErrFormat, name)
	}
	return nil
}

// refuse returns an error that names a part of the file and what it asks for.
func refuse(name string, value json.RawMessage) error {
	const most = 80 // of the value, in bytes, to show
	var compact bytes.Buffer
	shown := "nothing"
	if !isNull(value) && json.Compact(&compact, value) == nil {
		shown = compact.String()
		if len(shown) > most {
			shown = strings.ToValidUTF8(shown[:most], "") + "..."
		}
	}
	return fmt.Errorf("%w: %s is %s, which is not implemented", ErrFormat, name, shown)
}

// typeOf returns the type of a part; a model of older files, which has none, is BPE if
// it has merges. It returns "" where there is none.
func typeOf(value json.RawMessage) string {
	var part struct {
		Type   string          `json:"type"`
		Merges json.RawMessage `json:"merges"`
	}
	if json.Unmarshal(value, &part) != nil {
		return ""
	}
	if part.Type == "" && !isNull(part.Merges) {
		return "BPE"
	}
	return part.Type
}

func isNull(value json.RawMessage) bool {
	return len(value) == 0 || string(value) == "null"
}

// strict decodes one JSON value and refuses keys that dst does not have.
func strict(data []byte, dst any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows the end of the file")
	}
	return nil
}

// UnmarshalJSON puts the tokens in the order of their ids, which must be 0, 1, 2, ...
func (v *vocab) UnmarshalJSON(data []byte) error {
	var ids map[string]int64
	if err := json.Unmarshal(data, &ids); err != nil {
		return err
	}
	if len(ids) > maxVocab {
		return fmt.Errorf("vocab has %d tokens, more than %d", len(ids), maxVocab)
	}
	*v = make(vocab, len(ids))
	taken := make([]bool, len(ids))
	for token, id := range ids {
		if id < 0 || id >= int64(len(ids)) || taken[id] {
			return fmt.Errorf("vocab gives token %q the id %d, but ids must be 0 to %d, each once", token, id, len(ids)-1)
		}
		(*v)[id], taken[id] = token, true
	}
	return nil
}

func (m *merge) UnmarshalJSON(data []byte) error {
	var pair []string
	if len(data) > 0 && data[0] == '"' {
		var joined string
		if err := json.Unmarshal(data, &joined); err != nil {
			return err
		}
		pair = strings.Split(joined, " ")
	} else if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("merge %s is not a pair of tokens", data)
	}
	*m = merge(pair)
	return nil
}
