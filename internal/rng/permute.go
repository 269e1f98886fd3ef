package rng

import "math/bits"

// Permute returns where item i of n goes in the permutation that (seed,
// purpose, epoch) names: a bijection of [0, n) computed in constant expected
// time and space, so that a shuffled order needs no table and can be entered
// anywhere. It panics unless i < n.
//
// It is a balanced Feistel network over the next even power of two, walked
// until it falls inside the range (Black and Rogaway, "Ciphers with arbitrary
// finite domains", CT-RSA 2002); at most four walks are expected.
func Permute(seed uint64, purpose string, epoch, n, i uint64) uint64 {
	if i >= n {
		panic("rng: Permute of an index outside the range")
	}
	half := uint(bits.Len64(n-1)+1) / 2
	mask := uint64(1)<<half - 1
	key := New(seed, purpose, epoch, n)
	for {
		l, r := i>>half, i&mask
		for round := range uint32(4) {
			f := philox([4]uint32{uint32(r), uint32(r >> 32), round, 0}, key.key)
			f2 := mix(key.hi ^ (uint64(f[0]) | uint64(f[1])<<32))
			l, r = r, (l^f2)&mask
		}
		i = l<<half | r
		if i < n {
			return i
		}
	}
}
