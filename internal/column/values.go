package column

import (
	"encoding/binary"
	"fmt"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Encodings of values and levels.
const (
	encodingPlain           = 0
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingDeltaLength     = 6
	encodingDelta           = 7
	encodingDictionary      = 8
)

// Values are those of a row group, one a row.
type Values struct {
	pages    *pages
	optional bool
	left     int64 // rows to come

	dict    []byte // the dictionary page
	offsets []uint32

	rows     int64 // left of the page
	present  hybrid
	encoding int64
	plain    []byte  // values, or what of them is stored behind lengths
	index    hybrid  // into the dictionary
	lengths  *deltas // of values, or of what differs at their end
	prefixes *deltas // how much of it begins like the value before
	last     []byte  // that value
}

// Values reads a row group.
func (f *File) Values(group int) *Values {
	g := f.Groups[group]
	return &Values{pages: newPages(f.r, g), optional: f.optional, left: g.Rows}
}

// Next returns the value of the next row, valid until the next call; nil for a
// null. It is called once for each row of the group.
func (v *Values) Next() ([]byte, error) {
	for v.rows == 0 {
		if err := v.page(); err != nil {
			return nil, corrupt(err, "a row group has fewer values than rows")
		}
	}
	v.rows--
	v.left--
	if v.optional {
		level, ok := v.present.next()
		if !ok || level > 1 {
			return nil, fmt.Errorf("%w: a page has too few levels", safeio.ErrCorrupt)
		}
		if level == 0 {
			return nil, nil
		}
	}
	value, ok := v.value()
	if !ok {
		return nil, fmt.Errorf("%w: a page has too few values, or one that leads out of it", safeio.ErrCorrupt)
	}
	return value, nil
}

// page goes to the next page of values.
func (v *Values) page() error {
	h, data, err := v.pages.next()
	if err != nil {
		return err
	}
	switch h.kind {
	case pageDictionary:
		return v.dictionary(h, data)
	case pageData, pageDataV2:
	default:
		return nil
	}
	if h.values > v.left {
		return fmt.Errorf("%w: a page of %d values for %d rows", safeio.ErrCorrupt, h.values, v.left)
	}
	if v.rows = h.values; v.rows == 0 {
		return nil
	}
	if v.optional {
		n := h.levels
		if h.kind == pageData {
			if h.levelEncoding != encodingRLE || len(data) < 4 {
				return fmt.Errorf("%w: a page with levels of encoding %d", safeio.ErrCorrupt, h.levelEncoding)
			}
			n, data = int64(binary.LittleEndian.Uint32(data)), data[4:]
		}
		if n > int64(len(data)) {
			return fmt.Errorf("%w: a page with %d bytes of levels in %d", safeio.ErrCorrupt, n, len(data))
		}
		v.present, data = hybrid{b: data[:n], width: 1}, data[n:]
	} else if h.levels != 0 {
		return fmt.Errorf("%w: a page with levels in a column without nulls", safeio.ErrCorrupt)
	}
	return v.begin(h.encoding, data)
}

// dictionary takes up a dictionary, of which it keeps where its values are.
func (v *Values) dictionary(h header, data []byte) error {
	if v.offsets != nil || h.encoding != encodingPlain && h.encoding != encodingPlainDictionary {
		return fmt.Errorf("%w: a second dictionary, or one of encoding %d", safeio.ErrCorrupt, h.encoding)
	}
	if h.values > int64(len(data))/4 {
		return fmt.Errorf("%w: a dictionary of %d values in %d bytes", safeio.ErrCorrupt, h.values, len(data))
	}
	v.dict = append([]byte(nil), data...)
	v.offsets = make([]uint32, 0, h.values)
	for rest := v.dict; int64(len(v.offsets)) < h.values; {
		v.offsets = append(v.offsets, uint32(len(v.dict)-len(rest)))
		if _, ok := plainValue(&rest); !ok {
			return fmt.Errorf("%w: a dictionary ends too early", safeio.ErrCorrupt)
		}
	}
	return nil
}

// begin stands before the values of a page.
func (v *Values) begin(encoding int64, data []byte) error {
	v.encoding, v.plain, v.lengths, v.prefixes = encoding, data, nil, nil
	ok := true
	switch encoding {
	case encodingPlain:
	case encodingPlainDictionary, encodingDictionary:
		v.encoding = encodingDictionary
		if len(data) == 0 { // of nulls alone
			v.index = hybrid{}
			return nil
		}
		ok = v.offsets != nil && data[0] <= 32
		v.index = hybrid{b: data[1:], width: uint(data[0])}
	case encodingDelta:
		v.last = v.last[:0]
		if v.prefixes, ok = newDeltas(data, v.rows); ok {
			data, ok = v.prefixes.behind()
		}
		if !ok {
			break
		}
		fallthrough
	case encodingDeltaLength:
		if v.lengths, ok = newDeltas(data, v.rows); ok {
			v.plain, ok = v.lengths.behind()
		}
	default:
		return fmt.Errorf("%w: values of encoding %d, which is not read", safeio.ErrCorrupt, encoding)
	}
	if !ok {
		return fmt.Errorf("%w: a page of encoding %d does not begin like one", safeio.ErrCorrupt, encoding)
	}
	return nil
}

// value reads a value that is no null.
func (v *Values) value() ([]byte, bool) {
	switch v.encoding {
	case encodingPlain:
		return plainValue(&v.plain)
	case encodingDictionary:
		i, ok := v.index.next()
		if !ok || int(i) >= len(v.offsets) {
			return nil, false
		}
		rest := v.dict[v.offsets[i]:]
		return plainValue(&rest)
	}
	n, ok := v.lengths.next()
	if !ok || n < 0 || n > int64(len(v.plain)) {
		return nil, false
	}
	suffix := v.plain[:n:n]
	v.plain = v.plain[n:]
	if v.prefixes == nil {
		return suffix, true
	}
	n, ok = v.prefixes.next()
	if !ok || n < 0 || n > int64(len(v.last)) || n+int64(len(suffix)) > MaxPage {
		return nil, false
	}
	v.last = append(v.last[:n], suffix...)
	if v.last == nil {
		v.last = []byte{}
	}
	return v.last, true
}

// plainValue takes a value with its length before it from the front of b.
func plainValue(b *[]byte) ([]byte, bool) {
	if len(*b) < 4 {
		return nil, false
	}
	n := int64(binary.LittleEndian.Uint32(*b))
	rest := (*b)[4:]
	if n > int64(len(rest)) {
		return nil, false
	}
	*b = rest[n:]
	return rest[:n:n], true
}
