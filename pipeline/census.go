package pipeline

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"slices"
)

// census collects what is known of the documents of a section.
type census struct {
	near     *nearOptions // nil: exact duplicates only
	ids      []keyed
	keys     []keyed
	sketches []sketch
	sign     shingler
	sig      signature
}

// sectionDocs and nearSectionDocs keep a census below 16 MiB.
const (
	sectionDocs     = 1 << 18
	nearSectionDocs = 1 << 14
)

func newCensus(near *nearOptions) *census {
	c := &census{near: near}
	if near != nil {
		c.sign.table = near.table
	}
	return c
}

// add takes a document and says whether the section is full.
func (c *census) add(d Doc) (full bool) {
	var id [16]byte
	hex.Decode(id[:], []byte(d.ID))
	doc := uint64(len(c.ids))
	c.ids = append(c.ids, keyed{binary.BigEndian.Uint64(id[:]), binary.BigEndian.Uint64(id[8:]), doc})
	if c.near == nil {
		return len(c.ids) == sectionDocs
	}
	var k sketch
	if shingles := c.sign.shingles(d.Text); len(shingles) > 0 {
		c.sig.sign(shingles)
		k = c.sig.sketch()
		for b := range c.near.bands {
			c.keys = append(c.keys, keyed{hi: c.sig.bandKey(b, c.near.rows), doc: doc})
		}
	}
	c.sketches = append(c.sketches, k)
	return len(c.ids) == nearSectionDocs
}

// take returns the section and begins the next.
func (c *census) take() []byte {
	docs := len(c.ids)
	f := newFates(uint64(docs))
	sortKeyed(c.ids)
	c.ids = repeats(c.ids, f)
	if c.near != nil {
		// Bands of what is gone already are in nobody's way: fewer to store.
		c.keys = slices.DeleteFunc(c.keys, func(e keyed) bool { return f.get(e.doc) != keep })
		sortKeyed(c.keys)
		b := bucket{threshold: c.near.threshold, fates: f, sketch: func(doc uint64) (sketch, error) { return c.sketches[doc], nil }}
		_ = eachKey(c.keys, b.thin) // fails only where sketches are read
		c.keys = slices.DeleteFunc(c.keys, func(e keyed) bool { return f.get(e.doc) != keep })
	}
	data := append(make([]byte, headSize), f...)
	data = appendTable(data, c.ids, idSize)
	var sketches int
	if c.near != nil {
		data = appendTable(data, c.keys, keySize)
		sketches = len(data)
		for _, k := range c.sketches {
			data = append(data, k[:]...)
		}
	}
	head := []uint32{uint32(docs), uint32(len(c.ids)), uint32(len(c.keys)), 0, crc32.Checksum(f, castagnoli), 0}
	if c.near != nil {
		head[3], head[5] = uint32(docs), crc32.Checksum(data[sketches:], castagnoli)
	}
	var b bytes.Buffer
	for _, w := range head {
		b.Write(binary.LittleEndian.AppendUint32(nil, w))
	}
	b.Write(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(b.Bytes(), castagnoli)))
	copy(data, b.Bytes())
	c.ids, c.keys, c.sketches = c.ids[:0], c.keys[:0], c.sketches[:0]
	return data
}

// repeats marks all but the first of equal ids and returns the first ones.
func repeats(sorted []keyed, f fates) []keyed {
	firsts := sorted[:0]
	for _, e := range sorted {
		if n := len(firsts); n > 0 && firsts[n-1].sameKey(e) {
			f.set(e.doc, exact)
			continue
		}
		firsts = append(firsts, e)
	}
	return firsts
}
