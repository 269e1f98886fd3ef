package rng

import "math"

// Stream is a sequence of random numbers fixed by its name. The zero value is
// a valid stream of its own; a copy continues independently from where the
// original stood. It is not safe for concurrent use.
type Stream struct {
	key   [2]uint32
	hi    uint64    // upper half of the counter: which stream
	block uint64    // lower half: which block of that stream
	out   [2]uint64 // the current block
	left  int       // unread words of out
	spare float64   // second deviate of the last Box–Muller pair
	held  bool
}

// New opens the stream named by seed, purpose and the indices i and j.
func New(seed uint64, purpose string, i, j uint64) Stream {
	// FNV-1a of the purpose, then every part of the name is mixed in turn.
	h := uint64(14695981039346656037)
	for n := range len(purpose) {
		h = (h ^ uint64(purpose[n])) * 1099511628211
	}
	k := mix(seed ^ mix(h))
	return Stream{
		key: [2]uint32{uint32(k), uint32(k >> 32)},
		hi:  mix(mix(h^i) + j),
	}
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), a
// bijection in which every input bit reaches every output bit.
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Uint64 returns the next 64 random bits.
func (s *Stream) Uint64() uint64 {
	if s.left == 0 {
		r := philox([4]uint32{
			uint32(s.block), uint32(s.block >> 32), uint32(s.hi), uint32(s.hi >> 32),
		}, s.key)
		s.block++
		s.out = [2]uint64{uint64(r[0]) | uint64(r[1])<<32, uint64(r[2]) | uint64(r[3])<<32}
		s.left = 2
	}
	s.left--
	return s.out[1-s.left]
}

// Float64 returns a uniform number in [0, 1), a multiple of 2⁻⁵³.
func (s *Stream) Float64() float64 { return uniform(s.Uint64()) }

func uniform(bits uint64) float64 { return float64(bits>>11) * 0x1p-53 }

// IntN returns a uniform integer in [0, n), without bias. It panics if n <= 0.
func (s *Stream) IntN(n int) int {
	if n <= 0 {
		panic("rng: IntN of a range that is not positive")
	}
	return int(s.uint64N(uint64(n)))
}

// uint64N draws below n by rejection of the incomplete last interval.
func (s *Stream) uint64N(n uint64) uint64 {
	limit := -n % n // 2⁶⁴ mod n: the numbers below it are one too many
	for {
		if v := s.Uint64(); v >= limit {
			return v % n
		}
	}
}

// Normal returns a standard normal deviate (Box–Muller).
func (s *Stream) Normal() float64 {
	if s.held {
		s.held = false
		return s.spare
	}
	first, second := boxMuller(s.Float64(), s.Float64())
	s.spare, s.held = second, true
	return first
}

// boxMuller turns two uniform numbers into two normal deviates.
func boxMuller(u, v float64) (first, second float64) {
	// 1 - u lies in (0, 1], so that the logarithm is finite.
	r := math.Sqrt(-2 * math.Log(1-u))
	sin, cos := math.Sincos(2 * math.Pi * v)
	return r * cos, r * sin
}

// FillNormal fills dst with standard normal deviates.
func (s *Stream) FillNormal(dst []float32) {
	var exact [64]float64
	for len(dst) > 0 {
		n := min(len(dst), len(exact))
		s.FillNormal64(exact[:n])
		for i, v := range exact[:n] {
			dst[i] = float32(v)
		}
		dst = dst[n:]
	}
}

// FillNormal64 fills dst with the deviates that as many calls of Normal give.
func (s *Stream) FillNormal64(dst []float64) {
	for len(dst) > 0 && (s.held || s.left > 0) {
		dst[0] = s.Normal()
		dst = dst[1:]
	}
	for ; len(dst) >= 4; dst = dst[4:] { // a block is a pair of deviates
		a, b := philox2(s.block, s.hi, s.key)
		s.block += 2
		dst[0], dst[1] = boxMuller(uniform(a[0]), uniform(a[1]))
		dst[2], dst[3] = boxMuller(uniform(b[0]), uniform(b[1]))
	}
	for i := range dst {
		dst[i] = s.Normal()
	}
}

// SkipNormal passes over n deviates.
func (s *Stream) SkipNormal(n int) {
	for ; n > 0 && (s.held || s.left > 0); n-- {
		s.Normal()
	}
	s.block += uint64(n / 2)
	if n%2 != 0 {
		s.Normal()
	}
}

// Shuffle permutes n items uniformly by swapping (Fisher–Yates).
func (s *Stream) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, s.IntN(i+1))
	}
}

// Perm fills dst with a uniform permutation of 0..len(dst)-1.
func (s *Stream) Perm(dst []int) {
	for i := range dst {
		j := s.IntN(i + 1)
		dst[i] = dst[j]
		dst[j] = i
	}
}
