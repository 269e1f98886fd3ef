package tokenize

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// unigram is SentencePiece's model (Kudo 2018): of all ways to spell a text with tokens
// the one of the highest sum of scores, which are logarithms of probabilities.
type unigram struct {
	config  unigramConfig
	v       *vocabulary
	written []string // the scores as the file has them
	scores  []float64
	tokens  *trie
	unk     int32
	unknown float64     // the score of a character that is no token
	bytes   *[256]int32 // the tokens of the bytes of unknown text, -1 where there is none; or nil
}

// unigramConfig is the model's options under the names that files have for them.
type unigramConfig struct {
	Type         string `json:"type"`
	UnkID        *int   `json:"unk_id"`
	ByteFallback bool   `json:"byte_fallback"`
}

// unknownPenalty is how much less an unknown character scores than the token that
// scores least (sentencepiece, unigram_model.cc).
const unknownPenalty = 10

func parseUnigram(value json.RawMessage) (*unigram, error) {
	m := &unigram{config: unigramConfig{Type: "Unigram"}}
	options := map[string]json.RawMessage{}
	j := &jsonScanner{data: value}
	j.members(func(key string) {
		if key == "vocab" {
			m.readVocab(j)
		} else {
			options[key] = j.raw()
		}
	})
	err := j.end()
	if err == nil {
		err = strict(marshal(options), &m.config)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: model: %v", ErrFormat, err)
	}
	return m, m.compile()
}

// readVocab reads a list of pairs of token and score; ids are positions in it.
func (m *unigram) readVocab(j *jsonScanner) {
	var text strings.Builder // of tokens and scores, so that the file can be freed
	var cuts []int
	j.list('[', ']', func() {
		if len(cuts)/2 == maxVocab {
			j.fail("vocab has more than %d tokens", maxVocab)
			return
		}
		n := 0
		j.list('[', ']', func() {
			switch n++; n {
			case 1:
				token, _ := j.text()
				text.Write(token)
			case 2:
				text.Write(j.raw())
			default:
				j.fail("more than a token and its score")
				return
			}
			cuts = append(cuts, text.Len())
		})
		if n != 2 && j.err == nil {
			j.fail("no token and its score")
		}
	})
	if j.err != nil {
		return
	}
	all, start := text.String(), 0
	tokens := make([]string, len(cuts)/2)
	m.written = make([]string, len(tokens))
	m.scores = make([]float64, len(tokens))
	for i := range tokens {
		tokens[i], m.written[i] = all[start:cuts[2*i]], all[cuts[2*i]:cuts[2*i+1]]
		start = cuts[2*i+1]
		var err error
		if m.scores[i], err = parseScore(m.written[i]); err != nil {
			j.fail("token %q: %v", tokens[i], err)
			return
		}
	}
	var err error
	if m.v, err = newVocabulary(tokens); err != nil {
		j.fail("%v", err)
	}
}

func (m *unigram) compile() error {
	c := &m.config
	switch {
	case m.v == nil || m.v.size() == 0:
		return fmt.Errorf("%w: model: Unigram without a vocab", ErrFormat)
	case c.UnkID == nil:
		return fmt.Errorf("%w: model: Unigram without unk_id is not implemented, because not every text could be encoded", ErrFormat)
	case *c.UnkID < 0 || *c.UnkID >= m.v.size():
		return fmt.Errorf("%w: model: unk_id %d is not in the vocabulary", ErrFormat, *c.UnkID)
	}
	m.unk = int32(*c.UnkID)
	least := math.Inf(1)
	for _, s := range m.scores {
		least = min(least, s)
	}
	m.unknown = least - unknownPenalty
	m.tokens = newTrie(m.v)
	if c.ByteFallback {
		m.bytes = new([256]int32)
		for b := range m.bytes {
			m.bytes[b] = m.v.id(fmt.Sprintf("<0x%02X>", b))
		}
	}
	return nil
}

func (m *unigram) vocab() *vocabulary { return m.v }

func (m *unigram) cached() bool { return true }

func (m *unigram) kind() string { return KindUnigram }

// MarshalJSON writes the model as the file has it, scores digit by digit.
func (m *unigram) MarshalJSON() ([]byte, error) {
	out := []byte(`{"type":"Unigram","unk_id":`)
	out = fmt.Append(out, m.unk)
	out = append(out, `,"vocab":[`...)
	for id, token := range m.v.tokens {
		if id > 0 {
			out = append(out, ',')
		}
		out = appendJSONString(append(out, '['), token)
		out = append(out, ',')
		out = append(out, m.written[id]...)
		out = append(out, ']')
	}
	return fmt.Appendf(out, `],"byte_fallback":%t}`, m.config.ByteFallback), nil
}

// reached is the best way to reach a position of a text.
type reached struct {
	score float64
	start int32 // where its last token starts; -1 if there is no way yet
	id    int32
}

// spelling is the work of encoding one text. Where a text can only be cut, in that no
// token that starts before a position ends after it, the tokens up to there are certain
// and the ways to there forgotten: the memory is that of the longest stretch between
// two such cuts.
type spelling struct {
	*unigram
	text    string
	ways    []reached // of the positions from cut on
	cut     int
	path    []reached // scratch: the tokens of a stretch, the last first
	unkFrom int       // where unknown text before cut starts; -1 if there is none
	dst     []int32
	ends    *[]int32
}

// encodeWord takes time in proportion to the length of the text, times at most that of
// the longest token.
func (m *unigram) encodeWord(dst []int32, ends *[]int32, text string) []int32 {
	var ways [64]reached
	var path [32]reached
	s := spelling{unigram: m, text: text, ways: ways[:1], path: path[:0], unkFrom: -1, dst: dst, ends: ends}
	for pos := 0; pos < len(text); {
		if pos > s.cut && pos-s.cut == len(s.ways)-1 {
			s.advance(pos)
		}
		pos += s.reach(pos)
	}
	s.advance(len(text))
	s.flush(len(text))
	return s.dst
}

// reach offers every token that the text has at pos, shortest first, and then the
// unknown character if no token is that character. It returns the character's length.
func (s *spelling) reach(pos int) int {
	here := s.ways[pos-s.cut].score
	char := charLen(s.text, pos)
	single := false
	for i, at := pos, root; i < len(s.text); {
		if at = s.tokens.step(at, s.text[i]); at < 0 {
			break
		}
		i++
		if id := s.tokens.states[at].value; id >= 0 {
			s.offer(i, reached{here + s.scores[id], int32(pos - s.cut), id})
			single = single || i-pos == char
		}
	}
	if !single {
		s.offer(pos+char, reached{here + s.unknown, int32(pos - s.cut), s.unk})
	}
	return char
}

// offer takes a way to pos if it is the first or better than the best: of equal ones
// the first stays.
func (s *spelling) offer(pos int, by reached) {
	i := pos - s.cut
	for len(s.ways) <= i {
		s.ways = append(s.ways, reached{start: -1})
	}
	if to := &s.ways[i]; to.start < 0 || by.score > to.score {
		*to = by
	}
}

// advance appends the tokens between cut and pos, and cuts at pos. Scores go on from
// there rather than from zero, because sums of floats depend on what they start with.
func (s *spelling) advance(pos int) {
	s.path = s.path[:0]
	for end := int32(pos - s.cut); end > 0; {
		way := s.ways[end]
		s.path = append(s.path, way)
		end = way.start
	}
	for i := len(s.path) - 1; i >= 0; i-- {
		start, end := s.cut+int(s.path[i].start), pos
		if i > 0 {
			end = s.cut + int(s.path[i-1].start)
		}
		if id := s.path[i].id; id != s.unk {
			s.flush(start)
			s.put(id, end)
		} else if s.unkFrom < 0 {
			s.unkFrom = start
		}
	}
	s.ways = append(s.ways[:0], reached{score: s.ways[pos-s.cut].score})
	s.cut = pos
}

// flush appends what stands for the unknown text that ends at end: characters that
// follow one another are one token.
func (s *spelling) flush(end int) {
	if s.unkFrom < 0 {
		return
	}
	text := s.text[s.unkFrom:end]
	s.unkFrom = -1
	if id := s.tokens.find(text); id >= 0 {
		s.put(id, end)
	} else if s.hasBytes(text) {
		for i := range len(text) {
			s.put(s.bytes[text[i]], end) // each stands for the whole
		}
	} else {
		s.put(s.unk, end)
	}
}

func (m *unigram) hasBytes(text string) bool {
	if m.bytes == nil {
		return false
	}
	for i := range len(text) {
		if m.bytes[text[i]] < 0 {
			return false
		}
	}
	return true
}

func (s *spelling) put(id int32, end int) {
	s.dst = append(s.dst, id)
	if s.ends != nil {
		*s.ends = append(*s.ends, int32(end))
	}
}
