package rng

import "math/bits"

// Round constants of Philox4x32 (Salmon et al. 2011, table 2).
const (
	philoxM0 = 0xD2511F53
	philoxM1 = 0xCD9E8D57
	philoxW0 = 0x9E3779B9 // golden ratio
	philoxW1 = 0xBB67AE85 // sqrt(3) - 1
)

// philox encrypts the counter c under the key k with ten rounds.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		hi0, lo0 := bits.Mul32(philoxM0, c[0])
		hi1, lo1 := bits.Mul32(philoxM1, c[2])
		c = [4]uint32{hi1 ^ c[1] ^ k[0], lo1, hi0 ^ c[3] ^ k[1], lo0}
		k[0] += philoxW0
		k[1] += philoxW1
	}
	return c
}

// philox2 computes blocks n and n+1 of the stream hi under the key k. One alone
// waits for its multiplications most of the time: two take less than one does.
func philox2(n, hi uint64, k [2]uint32) (a, b [2]uint64) {
	a0, a1, a2, a3 := uint32(n), uint32(n>>32), uint32(hi), uint32(hi>>32)
	b0, b1, b2, b3 := uint32(n+1), uint32((n+1)>>32), a2, a3
	k0, k1 := k[0], k[1]
	for range 10 {
		p, q := philoxM0*uint64(a0), philoxM1*uint64(a2)
		a0, a1, a2, a3 = uint32(q>>32)^a1^k0, uint32(q), uint32(p>>32)^a3^k1, uint32(p)
		p, q = philoxM0*uint64(b0), philoxM1*uint64(b2)
		b0, b1, b2, b3 = uint32(q>>32)^b1^k0, uint32(q), uint32(p>>32)^b3^k1, uint32(p)
		k0 += philoxW0
		k1 += philoxW1
	}
	a = [2]uint64{uint64(a0) | uint64(a1)<<32, uint64(a2) | uint64(a3)<<32}
	b = [2]uint64{uint64(b0) | uint64(b1)<<32, uint64(b2) | uint64(b3)<<32}
	return a, b
}
