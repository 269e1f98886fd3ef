package tokenize

// NewByte returns the byte tokenizer: id b is the byte b, and <eos> is 256.
func NewByte() *Tokenizer {
	tokens := make([]string, 257)
	for b := range 256 {
		tokens[b] = string([]byte{byte(b)})
	}
	tokens[256] = eosToken
	special := make([]bool, 257)
	special[256] = true
	t, err := newByteLevel(tokens, special, nil)
	if err != nil {
		panic(err) // unreachable: the vocabulary above is complete
	}
	return t
}

// newByteLevel returns a byte or BPE tokenizer with GPT-2's words. tokens are bytes, not
// the printable form that the file has, but for the special ones; merges are pairs of
// ids in order of rank, and each must make a token of the vocabulary.
func newByteLevel(tokens []string, special []bool, merges [][2]int32) (*Tokenizer, error) {
	forms := make([]string, len(tokens))
	list := []addedToken{}
	for id, token := range tokens {
		forms[id] = token
		if special[id] {
			list = append(list, specialTokens([]string{token}, int32(id))...)
		} else {
			forms[id] = string(appendPrintable(nil, token))
		}
	}
	v, err := newVocabulary(forms)
	if err != nil {
		return nil, err
	}
	m := &bpe{config: bpeConfig{Type: "BPE"}, v: v, unk: -1}
	for _, pair := range merges {
		if err := m.addMerge(forms[pair[0]], forms[pair[1]]); err != nil {
			return nil, err
		}
	}
	m.fillTable()
	level := &byteLevel{Type: "ByteLevel", TrimOffsets: true, UseRegex: true}
	return assemble(parts{pre: level, steps: level.steps(), model: m, dec: level}, list)
}
