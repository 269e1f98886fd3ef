package main

import (
	"encoding/hex"
	"testing"
)

// The bytes are those of GNU as 2.40, whose operands stand in the same order.
func TestEncodingIsThatOfGNUAs(t *testing.T) {
	for _, c := range []struct {
		i               instruction
		src2, src1, dst int
		want            string
	}{
		{vdpbf16ps, 2, 1, 0, "62f2764852c2"},
		{vdpbf16ps, 31, 29, 17, "6282164052cf"},
		{vcvtneps2bf16, 1, 0, 0, "62f27e4872c1"},
	} {
		got := c.i.encode(c.src2, c.src1, c.dst)
		if hex.EncodeToString(got[:]) != c.want {
			t.Errorf("%#x Z%d, Z%d, Z%d is %x, want %s", c.i, c.src2, c.src1, c.dst, got, c.want)
		}
	}
}
