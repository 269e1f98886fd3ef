package column

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	// MaxPage is the largest page that is read, in bytes, packed or not.
	MaxPage = 128 << 20
	// MaxDictionary is that of a page with a dictionary.
	MaxDictionary = 32 << 20
)

// Kinds of pages.
const (
	pageData       = 0
	pageIndex      = 1
	pageDictionary = 2
	pageDataV2     = 3
)

// header is what a page says of itself.
type header struct {
	kind           int64
	unpacked       int64
	packed         int64
	crc            int64
	checked        bool // it has a crc
	values         int64
	encoding       int64
	levelEncoding  int64
	levels, repeat int64 // bytes of levels before the values (V2)
	plain          bool  // V2: not compressed
}

func readHeader(c *compact) header {
	var h header
	c.fields(func(id int64, t byte) {
		switch {
		case id == 1 && t == typeInt32:
			h.kind = c.int()
		case id == 2 && t == typeInt32:
			h.unpacked = c.int()
		case id == 3 && t == typeInt32:
			h.packed = c.int()
		case id == 4 && t == typeInt32:
			h.crc, h.checked = c.int(), true
		case (id == 5 || id == 7 || id == 8) && t == typeStruct:
			h.inner(c, id)
		default:
			c.skip(t, 0)
		}
	})
	return h
}

// inner reads the part of a header that depends on its kind.
func (h *header) inner(c *compact, kind int64) {
	h.levelEncoding = encodingRLE
	c.fields(func(id int64, t byte) {
		number := t == typeInt32
		switch {
		case id == 1 && number:
			h.values = c.int()
		case id == 2 && number && kind != 8, id == 4 && number && kind == 8:
			h.encoding = c.int()
		case id == 3 && number && kind == 5:
			h.levelEncoding = c.int()
		case id == 5 && number && kind == 8:
			h.levels = c.int()
		case id == 6 && number && kind == 8:
			h.repeat = c.int()
		case id == 7 && kind == 8 && t == typeFalse:
			h.plain = true
		default:
			c.skip(t, 0)
		}
	})
}

// check refuses sizes before anything is made of them.
func (h header) check() error {
	limit := int64(MaxPage)
	if h.kind == pageDictionary {
		limit = MaxDictionary
	}
	switch {
	case h.unpacked < 0 || h.packed < 0 || h.values < 0:
		return fmt.Errorf("%w: a page of %d bytes, %d unpacked, %d values", safeio.ErrCorrupt, h.packed, h.unpacked, h.values)
	case h.unpacked > limit || h.packed > limit:
		return fmt.Errorf("%w: a page of %d bytes, %d unpacked; at most %d are read (write it anew with smaller pages)", safeio.ErrLimit, h.packed, h.unpacked, limit)
	case h.levels < 0 || h.repeat != 0 || h.levels > min(h.packed, h.unpacked):
		return fmt.Errorf("%w: a page with %d and %d bytes of levels", safeio.ErrCorrupt, h.levels, h.repeat)
	}
	return nil
}

// pages reads the pages of a column chunk one after the other.
type pages struct {
	in     compact
	chunk  *io.SectionReader // behind in
	codec  int64
	packed []byte
	data   []byte
	zstd   *zstd.Decoder
}

func newPages(r io.ReaderAt, g Group) *pages {
	section := io.NewSectionReader(r, g.offset, g.stored)
	return &pages{in: compact{in: bufio.NewReaderSize(section, 64<<10)}, chunk: section, codec: g.codec}
}

// left is how many bytes of the chunk follow.
func (p *pages) left() int64 {
	at, _ := p.chunk.Seek(0, io.SeekCurrent)
	return p.chunk.Size() - at + int64(p.in.in.Buffered())
}

// next returns the next page and its content, valid until the next call; io.EOF
// behind the last.
func (p *pages) next() (header, []byte, error) {
	if _, err := p.in.in.Peek(1); err != nil {
		return header{}, nil, err
	}
	h := readHeader(&p.in)
	if p.in.err != nil {
		return h, nil, p.in.err
	}
	if err := h.check(); err != nil {
		return h, nil, err
	}
	if h.packed > p.left() {
		return h, nil, fmt.Errorf("%w: a page of %d bytes where %d are left", safeio.ErrCorrupt, h.packed, p.left())
	}
	p.packed = room(p.packed, h.packed)
	if _, err := io.ReadFull(p.in.in, p.packed); err != nil {
		return h, nil, corrupt(err, "a page ends too early")
	}
	if h.checked && crc32.ChecksumIEEE(p.packed) != uint32(h.crc) {
		return h, nil, fmt.Errorf("%w: a page does not have the CRC that it states", safeio.ErrCorrupt)
	}
	if h.kind == pageIndex {
		return h, nil, nil
	}
	data, err := p.unpack(h)
	return h, data, err
}

// room is b with n bytes, of which nothing is known.
func room(b []byte, n int64) []byte {
	if int64(cap(b)) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// unpack returns the content of a page, which must be as long as it says.
func (p *pages) unpack(h header) ([]byte, error) {
	if p.codec == 0 || h.plain {
		if h.packed != h.unpacked {
			return nil, fmt.Errorf("%w: a page of %d bytes that is not compressed states %d", safeio.ErrCorrupt, h.packed, h.unpacked)
		}
		return p.packed, nil
	}
	// No snappy block unfolds to more than 22 times its size, no deflated one to
	// more than 1032 times.
	if p.codec == 1 && h.unpacked > 32*(h.packed+1) || p.codec == 2 && h.unpacked > 1100*(h.packed+1) {
		return nil, fmt.Errorf("%w: a page of %d bytes states %d unpacked", safeio.ErrCorrupt, h.packed, h.unpacked)
	}
	p.data = room(p.data, h.unpacked)
	n := copy(p.data, p.packed[:h.levels]) // levels of V2 are never compressed
	from, to := p.packed[n:], p.data[n:]
	if len(to) == 0 && len(from) == 0 {
		return p.data, nil
	}
	var got int
	var err error
	switch p.codec {
	case 1:
		if got, err = snappy.DecodedLen(from); err == nil && got == len(to) {
			_, err = snappy.Decode(to, from)
		}
	case 2:
		got, err = unzip(to, from)
	case 6:
		got, err = p.unzstd(to, from)
	default:
		return nil, fmt.Errorf("%w: its column is compressed by %s, which is not read (write it anew with zstd)", safeio.ErrCorrupt, codecName(p.codec))
	}
	if err != nil {
		return nil, corrupt(err, "a page cannot be unpacked")
	}
	if got != len(to) {
		return nil, fmt.Errorf("%w: a page does not unpack to the %d bytes that it states", safeio.ErrCorrupt, h.unpacked)
	}
	return p.data, nil
}

// unzip returns how long from is unpacked, or, where that is longer than to,
// one more than its length.
func unzip(to, from []byte) (int, error) {
	z, err := gzip.NewReader(bytes.NewReader(from))
	if err != nil {
		return 0, err
	}
	return readExactly(to, z)
}

func (p *pages) unzstd(to, from []byte) (int, error) {
	if p.zstd == nil {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(MaxPage))
		if err != nil {
			return 0, err
		}
		p.zstd = z
	}
	if err := p.zstd.Reset(bytes.NewReader(from)); err != nil {
		return 0, err
	}
	return readExactly(to, p.zstd)
}

func readExactly(to []byte, z io.Reader) (int, error) {
	n, err := io.ReadFull(z, to)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	var more [1]byte
	k, err := io.ReadFull(z, more[:])
	if err != nil && err != io.EOF {
		return n, err
	}
	return n + k, nil
}

func codecName(codec int64) string {
	names := []string{3: "LZO", 4: "Brotli", 5: "LZ4", 7: "LZ4_RAW"}
	if codec >= 0 && codec < int64(len(names)) && names[codec] != "" {
		return names[codec]
	}
	return fmt.Sprintf("codec %d", codec)
}

// corrupt says what of a file an error stands for, unless it has a kind.
func corrupt(err error, what string) error {
	if errors.Is(err, safeio.ErrCorrupt) || errors.Is(err, safeio.ErrLimit) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s", safeio.ErrCorrupt, what)
	}
	return fmt.Errorf("%w: %s: %w", safeio.ErrCorrupt, what, err)
}
