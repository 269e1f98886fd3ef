package pipeline

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// Two documents are near-duplicates by the Jaccard similarity of their sets of
// shingles, the runs of five words (Broder, "On the resemblance and containment
// of documents", 1997). A signature of minima stands for the set: two of them
// agree in a bin with the probability of the similarity.
//
//	text ──words──▶ shingles ──minima──▶ signature of 256 bins ──▶ bands (candidates)
//	                                                           └─▶ sketch (verification)

const (
	shingleWords = 5
	bins         = 256
	// bandBins are the bins that bands are made of: more would make the curve of
	// detection steeper and the files on disk larger.
	bandBins = 128
	// bandRecall is what the bands of a threshold must find of the pairs that are
	// just so similar.
	bandRecall = 0.98
	sketchSize = bins / 2 // bytes
)

// bandsFor are the number of bands and of bins in each with which pairs of
// similarity s become candidates with probability 1 - (1 - s^rows)^bands: those
// of the steepest curve that still gives bandRecall at the threshold.
func bandsFor(threshold float64) (bands, rows int) {
	rows = 1
	for r := 2; r <= bandBins; r++ {
		if detection(threshold, bandBins/r, r) >= bandRecall {
			rows = r
		}
	}
	return bandBins / rows, rows
}

// detection is the probability with which a pair of similarity s falls into the
// same bucket of at least one band.
func detection(s float64, bands, rows int) float64 {
	return 1 - math.Pow(1-math.Pow(s, float64(rows)), float64(bands))
}

// sketch is the four lowest bits of every bin of a signature ("b-bit minwise
// hashing", Li and König, 2010).
type sketch [sketchSize]byte

// similarity estimates the Jaccard similarity of two documents without bias,
// with a standard deviation of 0.03 or less.
func (a *sketch) similarity(b *sketch) float64 {
	differ := 0
	for i := 0; i < sketchSize; i += 8 {
		x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:])
		x |= x >> 2
		x |= x >> 1
		differ += bits.OnesCount64(x & 0x1111111111111111)
	}
	// Bins of different minima agree in four bits by chance once in 16 times.
	return 1 - float64(differ)/bins*16/15
}

// signature is the minimum of each bin.
type signature [bins]uint64

// sign makes the signature of a set of shingles, which must not be empty, as in
// "Fast similarity sketching" (Dahlgaard, Knudsen and Thorup, FOCS 2017): round
// by round, every shingle goes into one bin, until no bin is empty; where it
// takes too many rounds, bin by bin. A long document is done in two rounds, a
// short one in a few thousand steps, and short ones are estimated as well as by
// 256 independent hash functions.
func (sig *signature) sign(shingles []uint64) {
	for i := range sig {
		sig[i] = math.MaxUint64
	}
	empty := bins
	for round := uint64(0); empty > 0; round++ {
		key := mix(round + 1)
		for _, s := range shingles {
			x := fold(s^key, 0xA0761D6478BD642F)
			bin := x % bins
			if round >= bins {
				bin = round - bins
			}
			if v := round<<54 | x>>10; v < sig[bin] {
				if sig[bin] == math.MaxUint64 {
					empty--
				}
				sig[bin] = v
			}
		}
	}
}

func (sig *signature) sketch() (s sketch) {
	for i := range s {
		s[i] = byte(sig[2*i]&15 | sig[2*i+1]&15<<4)
	}
	return s
}

// bandKey names the bucket of a band.
func (sig *signature) bandKey(band, rows int) uint64 {
	key := mix(uint64(band + 1))
	for _, v := range sig[band*rows : (band+1)*rows] {
		key = mix(key ^ v)
	}
	return key
}

// shingler finds the shingles of documents. A word is a run of letters, digits
// and marks in lower case; a character of a script that is written without
// spaces is a word by itself. What stands between words does not count.
type shingler struct {
	table *wordTable
	found []uint64
}

// wordTable has the lower case of the characters that words are made of, and 0
// for others.
type wordTable [1 << 16]uint32

const alone = 1 << 31 // a word by itself

func newWordTable() *wordTable {
	t := new(wordTable)
	for r := range rune(len(t)) {
		t[r] = classify(r)
	}
	return t
}

func classify(r rune) uint32 {
	switch {
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return uint32(r) | alone
	case unicode.In(r, unicode.L, unicode.N, unicode.M):
		return uint32(unicode.ToLower(r))
	}
	return 0
}

// shingles returns the hashes of the shingles of a text, in order and with
// repetitions; a text of less than five words is one shingle. They are valid
// until the next call.
func (s *shingler) shingles(text string) []uint64 {
	const (
		base  = 0x9E3779B97F4A7C15
		base2 = base * base % (1 << 64)
		base5 = base2 * base2 % (1 << 64) * base % (1 << 64)
	)
	var (
		recent [shingleWords]uint64
		rolled uint64 // polynomial in base of the last five words
		words  int
		word   uint64 // hash of the word that is being read; 0 between words
	)
	s.found = s.found[:0]
	end := func() {
		if word == 0 {
			return
		}
		h := mix(word)
		at := words % shingleWords
		rolled = rolled*base + h - recent[at]*base5
		recent[at] = h
		word = 0
		if words++; words >= shingleWords {
			s.found = append(s.found, mix(rolled))
		}
	}
	for i := 0; i < len(text); {
		c, n := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRuneInString(text[i:])
		}
		i += n
		var class uint32
		if int(c) < len(s.table) {
			class = s.table[c]
		} else {
			class = classify(c)
		}
		switch {
		case class == 0:
			end()
		case class&alone != 0:
			end()
			word = uint64(class)
			end()
		default:
			word = (word+uint64(class))*0x9FB21C651E98DF25 | 1<<63
		}
	}
	end()
	if 0 < words && words < shingleWords {
		s.found = append(s.found, mix(rolled+uint64(words)))
	}
	return s.found
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a bijection
// that spreads every bit.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// fold is a cheaper spreading of bits that are well mixed already.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
