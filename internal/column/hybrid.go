package column

import "encoding/binary"

// hybrid decodes the mixture of runs and packed bits in which Parquet stores
// levels and dictionary indices, a value at a time. What is missing at its end
// ok says.
type hybrid struct {
	b      []byte
	width  uint // bits of a value, at most 32
	run    uint64
	value  uint32 // of a run
	packed uint64 // values left of packed bits
	bits   uint64
	have   uint
}

func (h *hybrid) next() (v uint32, ok bool) {
	for h.run == 0 && h.packed == 0 {
		n, k := binary.Uvarint(h.b)
		if k <= 0 {
			return 0, false
		}
		h.b = h.b[k:]
		if n&1 == 1 {
			h.packed, h.bits, h.have = min(n>>1, 1<<56)*8, 0, 0
			continue
		}
		size := int(h.width+7) / 8
		if len(h.b) < size {
			return 0, false
		}
		h.run, h.value = n>>1, 0
		for i := range size {
			h.value |= uint32(h.b[i]) << (8 * i)
		}
		h.b = h.b[size:]
	}
	if h.run > 0 {
		h.run--
		return h.value, true
	}
	for h.have < h.width {
		if len(h.b) == 0 {
			return 0, false
		}
		h.bits |= uint64(h.b[0]) << h.have
		h.b, h.have = h.b[1:], h.have+8
	}
	v = uint32(h.bits & (1<<h.width - 1))
	h.bits, h.have, h.packed = h.bits>>h.width, h.have-h.width, h.packed-1
	return v, true
}

// deltas decodes integers that are stored as packed differences, a value at a
// time.
type deltas struct {
	b      []byte
	left   uint64 // values to come
	value  int64  // the next one
	mini   uint64 // values of a miniblock
	number uint64 // miniblocks of a block
	widths []byte // of the miniblocks left of the block
	least  int64  // difference of the block
	width  uint
	packed uint64 // differences left of the miniblock
	bits   uint64
	have   uint
	bad    bool
}

// newDeltas reads the header of a sequence of at most limit values.
func newDeltas(b []byte, limit int64) (*deltas, bool) {
	d := &deltas{b: b}
	block, a := d.uvarint()
	number, c := d.uvarint()
	left, e := d.uvarint()
	first, f := d.varint()
	if !(a && c && e && f) || left > uint64(limit) || number == 0 || number > 1<<10 || block > 1<<20 || block%number != 0 || block/number%8 != 0 || block == 0 {
		return nil, false
	}
	d.mini, d.number, d.left, d.value = block/number, number, left, first
	return d, true
}

func (d *deltas) uvarint() (uint64, bool) {
	v, k := binary.Uvarint(d.b)
	if k <= 0 {
		return 0, false
	}
	d.b = d.b[k:]
	return v, true
}

func (d *deltas) varint() (int64, bool) {
	v, k := binary.Varint(d.b)
	if k <= 0 {
		return 0, false
	}
	d.b = d.b[k:]
	return v, true
}

// next returns the next value, if there is one.
func (d *deltas) next() (int64, bool) {
	if d.left == 0 || d.bad {
		return 0, false
	}
	v := d.value
	if d.left--; d.left > 0 && !d.step() {
		d.bad = true
	}
	return v, true
}

// step adds the next difference.
func (d *deltas) step() bool {
	if d.packed == 0 {
		if len(d.widths) == 0 {
			var ok bool
			if d.least, ok = d.varint(); !ok || uint64(len(d.b)) < d.number {
				return false
			}
			d.widths, d.b = d.b[:d.number], d.b[d.number:]
		}
		d.width, d.widths = uint(d.widths[0]), d.widths[1:]
		d.packed, d.bits, d.have = d.mini, 0, 0
		if d.width > 32 { // differences of lengths, which are below 2^31
			return false
		}
	}
	for d.have < d.width {
		if len(d.b) == 0 {
			return false
		}
		d.bits |= uint64(d.b[0]) << d.have
		d.b, d.have = d.b[1:], d.have+8
	}
	d.value += d.least + int64(d.bits&(1<<d.width-1))
	d.bits, d.have, d.packed = d.bits>>d.width, d.have-d.width, d.packed-1
	return true
}

// behind returns what follows a sequence: its last miniblock is whole, however
// many of its values count; those behind it are not stored.
func (d deltas) behind() ([]byte, bool) {
	for d.left > 0 {
		if _, ok := d.next(); !ok {
			return nil, false
		}
	}
	if d.bad {
		return nil, false
	}
	rest := int(d.packed*uint64(d.width)) - int(d.have)
	rest = (rest + 7) / 8
	if rest < 0 {
		rest = 0
	}
	if d.packed > 0 && rest > len(d.b) {
		return nil, false
	}
	return d.b[rest:], true
}
