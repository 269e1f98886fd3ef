package tokenize

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// JSON returns the tokenizer as a tokenizer.json that Hugging Face tokenizers loads.
// It is canonical: tokenizers that do the same have the same bytes, however the file
// they came from was laid out.
func (t *Tokenizer) JSON() []byte {
	f := file{Version: "1.0", AddedTokens: []addedToken{}}
	for id, special := range t.special {
		if special {
			f.AddedTokens = append(f.AddedTokens, addedToken{ID: int64(id), Content: t.tokens[id], Special: true})
		}
	}
	if t.kind == KindChar {
		f.PreTokenizer = marshal(split{Type: "Split", Pattern: pattern{anyCharacter}, Behavior: "Isolated"})
		f.Decoder = marshal(fuse{Type: "Fuse"})
		f.Model = marshal(wordLevelModel{Type: "WordLevel", Vocab: t.tokens, UnkToken: t.tokens[t.unk]})
	} else {
		no, yes := false, true
		level := marshal(byteLevel{Type: "ByteLevel", AddPrefixSpace: &no, TrimOffsets: &yes, UseRegex: &yes})
		f.PreTokenizer, f.Decoder = level, level
		f.Model = marshal(t.bpeModel())
	}
	var out bytes.Buffer
	if err := json.Indent(&out, marshal(f), "", "  "); err != nil {
		panic(err) // unreachable: marshal wrote it
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// bpeModel returns the model with its tokens in printable form.
func (t *Tokenizer) bpeModel() bpeModel {
	alphabet := byteAlphabet()
	m := bpeModel{Type: "BPE", Vocab: make(vocab, len(t.tokens)), Merges: make([]merge, len(t.bpe.merges))}
	for id, token := range t.tokens {
		if t.special[id] {
			m.Vocab[id] = token
		} else {
			m.Vocab[id] = printable(alphabet, token)
		}
	}
	for rank, pair := range t.bpe.merges {
		m.Merges[rank] = merge{m.Vocab[pair[0]], m.Vocab[pair[1]]}
	}
	return m
}

// Hash returns the SHA-256 of JSON in hexadecimal.
func (t *Tokenizer) Hash() string {
	sum := sha256.Sum256(t.JSON())
	return hex.EncodeToString(sum[:])
}
