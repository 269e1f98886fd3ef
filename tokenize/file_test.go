package tokenize

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestParseRefuses changes one thing in a good file and expects an error that names it.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, kind, old, new, want string }{
		{"not JSON", KindByte, "{", "[", "instead of"},
		{"truncated", KindByte, "\n  }\n}", "", "unexpected end of the file"},
		{"trailing", KindByte, "\n  }\n}", "\n  }\n} {}", "follows the end"},
		{"unknown key", KindByte, `"version"`, `"revision"`, `"revision"`},
		{"too deep", KindByte, `"normalizer": null`, `"normalizer": ` + strings.Repeat("[", 1e5), "brackets within"},
		{"normalizer", KindByte, `"normalizer": null`, `"normalizer": {"type": "Append"}`, `normalizer is {"type":"Append"}`},
		{"post-processor", KindByte, `"post_processor": null`, `"post_processor": {"type": "Telepathy"}`, `post_processor is {"type":"Telepathy"}`},
		{"other words", KindByte, `"type": "ByteLevel"`, `"type": "Whitespaces"`, `pre_tokenizer is {"type":"Whitespaces"`},
		{"no words", KindByte, `"pre_tokenizer"`, `"pre_tokenizer": null, "x"`, `"x"`},
		{"model", KindByte, `"type": "BPE"`, `"type": "Trigram"`, `model is {"type":"Trigram"`},
		{"dropout", KindByte, `"dropout": null`, `"dropout": 0.1`, "dropout"},
		{"suffix", KindByte, `"end_of_word_suffix": null`, `"end_of_word_suffix": "</w>"`, "end_of_word_suffix"},
		{"prefix", KindByte, `"continuing_subword_prefix": null`, `"continuing_subword_prefix": "##"`, "continuing_subword_prefix"},
		{"byte fallback", KindByte, `"byte_fallback": false`, `"byte_fallback": true`, "byte_fallback"},
		{"added hole", KindByte, `"id": 256`, `"id": 300`, "300"},
		{"id twice", KindByte, `"a": 97`, `"a": 98`, "98"},
		{"byte missing", KindByte, `"a": 97`, `"aa": 97`, "no token for byte 0x61"},
		{"no such byte", KindByte, `"a": 97`, `"✓": 97`, `no token for byte 0x61`},
		{"merge unknown", KindByte, `"merges": []`, `"merges": ["a zz"]`, `"zz"`},
		{"merge unmade", KindByte, `"merges": []`, `"merges": ["a b"]`, `"a" and "b"`},
		{"merge of one", KindByte, `"merges": []`, `"merges": ["a"]`, "not a pair"},
		{"merge of special", KindByte, `"merges": []`, `"merges": ["a <eos>"]`, "<eos>"},
		{"pattern", KindChar, `[\\s\\S]`, `\\w`, `the pattern "\\w"`},
		{"behaviour", KindChar, `"Isolated"`, `"Shredded"`, `"Shredded"`},
		{"decoder", KindChar, `"Fuse"`, `"WordWise"`, "decoder is"},
		{"other unknown", KindChar, `"unk_token": "<unk>"`, `"unk_token": "none"`, `unk_token "none"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", c.kind+".json"))
			if err != nil {
				t.Fatal(err)
			}
			bad := strings.Replace(string(data), c.old, c.new, 1)
			if bad == string(data) {
				t.Fatalf("%s.json has no %q to replace", c.kind, c.old)
			}
			_, err = Parse([]byte(bad))
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nwant ErrFormat with %q", err, c.want)
			}
		})
	}
}

// TestParseAccepts: the ways that other versions write the same.
func TestParseAccepts(t *testing.T) {
	bpe := load(t, KindBPE)
	ours := string(bpe.JSON())
	for _, c := range []struct{ name, file, old, new string }{
		{"no model type, as GPT-2's first file", ours, `    "type": "BPE",` + "\n", ""},
		{"no use_regex, as before version 0.13", ours, ",\n    \"use_regex\": true", ""},
		{"pairs as arrays", ours, `"h e"`, `["h", "e"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := strings.Replace(c.file, c.old, c.new, 1)
			if other == c.file {
				t.Fatalf("the file has no %q to replace", c.old)
			}
			tok, err := Parse([]byte(other))
			if err != nil {
				t.Fatal(err)
			}
			if tok.Hash() != bpe.Hash() {
				t.Error("the tokenizer differs")
			}
		})
	}
}

func TestParseAddedTokens(t *testing.T) {
	added := `"added_tokens": [{"id": 257, "content": "<pad>", "special": true}, {"id": 258, "content": "<mask>", "special": true}, {`
	tok, err := Parse([]byte(strings.Replace(string(NewByte().JSON()), "\"added_tokens\": [\n    {", added, 1)))
	if err != nil {
		t.Fatal(err)
	}
	got := []int32{tok.EOS(), tok.PAD(), tok.MASK(), tok.UNK(), int32(tok.VocabSize())}
	if want := []int32{256, 257, 258, -1, 259}; !slices.Equal(got, want) {
		t.Errorf("EOS, PAD, MASK, UNK and size are %v, want %v", got, want)
	}
	again, err := Parse(tok.JSON())
	if err != nil || again.Hash() != tok.Hash() {
		t.Errorf("JSON does not give the same tokenizer back: %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: error %v", err)
	}
	path := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name %q", err, path)
	}
	if err := os.Truncate(path, maxFile+1); err != nil { // sparse: takes no space
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("error %v does not give the limit", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, kind := range []string{KindChar, KindByte, KindBPE} {
		f.Add(load(f, kind).JSON())
	}
	for _, name := range []string{"wordpiece.json", "unigram.json"} {
		f.Add(changed(f, name, nil))
	}
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["",-1e-400],["a",-0.5e1]],"byte_fallback":true},"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"[\\s\\u00ad]{2,}"},"content":"a"}]}}`))
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{},"merges":[["",""]]}}`))
	f.Add([]byte(`{"model":{"type":"WordLevel","vocab":{"<unk>":0,"a":1},"unk_token":"<unk>"},"added_tokens":[{"id":0,"content":"<unk>","special":true}]}`))
	const words = `,"model":{"type":"WordLevel","vocab":{"<unk>":0,"a":1},"unk_token":"<unk>"}}`
	for _, parts := range []string{
		`"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"u"},"behavior":"MergedWithNext","invert":true},{"type":"Digits","individual_digits":false},{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true}]}`,
		`"post_processor":{"type":"Sequence","processors":[{"type":"RobertaProcessing","sep":["a",1],"cls":["a",1],"trim_offsets":true,"add_prefix_space":true},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"a","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"a":{"id":"a","ids":[1],"tokens":["a"]}}}]}`,
		`"decoder":{"type":"Sequence","decoders":[{"type":"Strip","content":"a","start":1,"stop":9},{"type":"CTC","pad_token":"a","word_delimiter_token":"b","cleanup":true},{"type":"ByteFallback"},{"type":"BPEDecoder","suffix":"a"},{"type":"Replace","pattern":{"String":"a"},"content":""}]}`,
		`"added_tokens":[{"id":2,"content":"qu","single_word":false,"lstrip":true,"rstrip":true,"normalized":true,"special":false},{"id":1,"content":"a","special":true,"single_word":true}],"normalizer":{"type":"Lowercase"}`,
	} {
		f.Add([]byte("{" + parts + words))
	}
	f.Add([]byte(`{"model":{"type":"BPE","byte_fallback":true,"fuse_unk":true,"unk_token":"u","vocab":{"u":0,"t":1,"h":2,"th":3,"<0x20>":9},"merges":[["t","h"],["t","h"]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("error %v is not ErrFormat", err)
			}
			return
		}
		again, err := Parse(tok.JSON())
		if err != nil {
			t.Fatalf("cannot read back: %v", err)
		}
		if again.Hash() != tok.Hash() {
			t.Error("JSON is not canonical")
		}
		s := "the quick \xff\x00 we'll  é"
		ids := tok.Encode(nil, s)
		tok.Decode(nil, ids)
		special := tok.WithSpecial()
		same, offsets := special.EncodeOffsets(s)
		special.Decode(nil, special.PostProcess(nil, same))
		if ids := special.Encode(nil, s); !slices.Equal(same, ids) || len(offsets) != len(same) {
			t.Errorf("EncodeOffsets gives %v with %d offsets, Encode gives %v", same, len(offsets), ids)
		}
		for _, o := range offsets {
			if o.Start < 0 || o.Start > o.End || o.End > len(s) {
				t.Errorf("offsets %v in a text of %d bytes", o, len(s))
			}
		}
		if !slices.Equal(ids, again.Encode(nil, s)) {
			t.Error("the file read back gives other ids")
		}
	})
}
