package tokenize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxFile bounds a tokenizer.json: twice the largest in wide use (Gemma 3, 33 MB).
const maxFile = 64 << 20

// parts are the parts of a tokenizer as its file has them; each may be missing but for
// the model.
type parts struct {
	truncation json.RawMessage
	padding    json.RawMessage
	norm       normalizer
	pre        any
	steps      []preTokenizer // that pre consists of
	model      model
	post       postProcessor
	dec        decoder
}

// Load reads a tokenizer.json of at most 64 MiB. Errors about its content wrap
// ErrFormat and name the file.
func Load(path string) (*Tokenizer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	defer f.Close()
	var data bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= maxFile {
		data.Grow(int(info.Size()) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, fmt.Errorf("load tokenizer %q: %w", path, err)
	}
	if data.Len() > maxFile {
		return nil, fmt.Errorf("load tokenizer %q: %w: more than %d MiB", path, ErrFormat, maxFile>>20)
	}
	t, err := Parse(data.Bytes())
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %q: %w", path, err)
	}
	return t, nil
}

// Parse reads a tokenizer.json. A file that asks for anything that this package does not
// do is refused with an error that wraps ErrFormat and names the part, because to ignore
// it would give other ids than the file's author got. Two settings are kept but not
// applied, because they are about the input of some model and not about text:
// truncation and padding.
func Parse(data []byte) (*Tokenizer, error) {
	var p parts
	var list []addedToken
	var err error
	seen := map[string]bool{}
	values := map[string]json.RawMessage{}
	j := &jsonScanner{data: data}
	j.members(func(key string) {
		if seen[key] {
			j.fail("%q is there twice", key)
		}
		seen[key] = true
		switch key {
		case "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model":
			values[key] = j.raw()
		default:
			j.fail("unknown field %q", key)
		}
	})
	if err := j.end(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	var version string
	for key, dst := range map[string]any{"version": &version, "added_tokens": &list, "truncation": &p.truncation, "padding": &p.padding} {
		if values[key] == nil {
			continue
		}
		if err := strict(values[key], dst); err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrFormat, key, err)
		}
	}
	if version != "" && version != "1.0" {
		return nil, fmt.Errorf("%w: version is %q, which is not implemented", ErrFormat, version)
	}
	if p.norm, err = parseNormalizer(values["normalizer"]); err != nil {
		return nil, err
	}
	if p.pre, p.steps, err = parsePreTokenizer(values["pre_tokenizer"]); err != nil {
		return nil, err
	}
	if p.post, err = parsePostProcessor(values["post_processor"]); err != nil {
		return nil, err
	}
	if p.dec, err = parseDecoder(values["decoder"]); err != nil {
		return nil, err
	}
	if p.model, err = parseModel(values["model"]); err != nil {
		return nil, err
	}
	return assemble(p, list)
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
// it has merges and WordPiece if it has a prefix for words. It returns "" where there is
// none.
func typeOf(value json.RawMessage) string {
	kind := ""
	seen := map[string]bool{}
	j := &jsonScanner{data: value}
	if j.peek() != '{' {
		return ""
	}
	j.members(func(key string) {
		seen[key] = true
		if v := j.raw(); key == "type" && json.Unmarshal(v, &kind) == nil {
			j.fail("found") // what follows can be long
		}
	})
	switch {
	case kind != "":
		return kind
	case seen["merges"]:
		return "BPE"
	case seen["max_input_chars_per_word"]:
		return "WordPiece"
	}
	return ""
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
