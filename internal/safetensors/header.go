package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

const (
	metadataKey = "__metadata__"
	maxHeader   = 100_000_000 // bytes of JSON; the reference implementation's limit
	maxTensors  = 10_000      // the reference has no such limit, which lets a header of 100 MB become gigabytes of map
	maxRank     = 32          // dimensions of one tensor
	maxMetadata = 10_000      // pairs
)

// bitsOf gives the bits an element of each dtype of the format takes.
func bitsOf(dtype string) int {
	switch dtype {
	case "F4":
		return 4
	case "F6_E2M3", "F6_E3M2":
		return 6
	case "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0":
		return 8
	case "I16", "U16", "F16", "BF16":
		return 16
	case "I32", "U32", "F32":
		return 32
	case "I64", "U64", "F64", "C64":
		return 64
	}
	return 0
}

// entry is one tensor of a header; its data are the bytes [begin, end) of the
// data part.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64
}

// parse reads the JSON of a header and checks it against the number of bytes
// of data that the file really has. The entries are in the order of their data.
func parse(header []byte, dataSize int64) ([]entry, map[string]string, error) {
	if !utf8.Valid(header) {
		return nil, nil, corrupt("header: not valid UTF-8")
	}
	p := parser{json.NewDecoder(bytes.NewReader(header))}
	p.UseNumber()
	entries, meta, err := p.header()
	if err != nil {
		return nil, nil, err
	}
	if _, err := p.Token(); err != io.EOF {
		return nil, nil, corrupt("header: text after the JSON object")
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		if a.begin != b.begin {
			return cmp.Compare(a.begin, b.begin)
		}
		return cmp.Compare(a.end, b.end)
	})
	var reached int64
	for _, e := range entries {
		switch {
		case e.begin < reached:
			return nil, nil, corrupt("tensor %q: data overlap the tensor before it at byte %d", e.name, e.begin)
		case e.begin > reached:
			return nil, nil, corrupt("tensor %q: hole of %d bytes before its data", e.name, e.begin-reached)
		case e.end > dataSize:
			return nil, nil, corrupt("tensor %q: data end at byte %d of %d: the file is cut short", e.name, e.end, dataSize)
		}
		reached = e.end
	}
	if reached != dataSize {
		return nil, nil, corrupt("%d bytes after the last tensor", dataSize-reached)
	}
	return entries, meta, nil
}

// parser walks the header token by token: encoding/json alone would let the
// last of two equal keys win, and could not stop at a limit.
type parser struct{ *json.Decoder }

func (p parser) header() (entries []entry, meta map[string]string, err error) {
	meta = map[string]string{}
	seen := map[string]bool{}
	err = p.object("header", func(name string) error {
		if seen[name] {
			return corrupt("header: two entries named %q", name)
		}
		seen[name] = true
		if name == metadataKey {
			return p.metadata(meta)
		}
		if len(entries) == maxTensors {
			return fmt.Errorf("header: more than %d tensors: %w", maxTensors, safeio.ErrLimit)
		}
		e, err := p.entry(name)
		entries = append(entries, e)
		return err
	})
	return entries, meta, err
}

func (p parser) metadata(meta map[string]string) error {
	return p.object(metadataKey, func(key string) error {
		if _, twice := meta[key]; twice {
			return corrupt("metadata: two values for %q", key)
		}
		if len(meta) == maxMetadata {
			return fmt.Errorf("metadata: more than %d pairs: %w", maxMetadata, safeio.ErrLimit)
		}
		value, err := p.str("metadata " + strconv.Quote(key))
		meta[key] = value
		return err
	})
}

func (p parser) entry(name string) (entry, error) {
	where := "tensor " + strconv.Quote(name)
	e := entry{name: name}
	var offsets []int64
	seen := map[string]bool{}
	err := p.object(where, func(field string) (err error) {
		if seen[field] {
			return corrupt("%s: two fields %q", where, field)
		}
		seen[field] = true
		switch field {
		case "dtype":
			e.dtype, err = p.str(where + ": dtype")
		case "shape":
			var dims []int64
			dims, err = p.integers(where+": shape", maxRank)
			e.shape = make([]int, len(dims))
			for i, d := range dims {
				e.shape[i] = int(d)
			}
		case "data_offsets":
			offsets, err = p.integers(where+": data_offsets", 2)
		default:
			err = corrupt("%s: unknown field %q", where, field)
		}
		return err
	})
	if err != nil {
		return e, err
	}
	for _, field := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[field] {
			return e, corrupt("%s: no %s", where, field)
		}
	}
	width := bitsOf(e.dtype)
	if width == 0 {
		return e, corrupt("%s: unknown dtype %q", where, e.dtype)
	}
	if len(offsets) != 2 {
		return e, corrupt("%s: %d data_offsets, want 2", where, len(offsets))
	}
	e.begin, e.end = offsets[0], offsets[1]
	if e.begin > e.end {
		return e, corrupt("%s: data from byte %d back to %d", where, e.begin, e.end)
	}
	n, err := elements(e.shape)
	if err != nil {
		return e, corrupt("%s: %v", where, err)
	}
	high, low := bits.Mul64(uint64(n), uint64(width))
	if high != 0 || low%8 != 0 || low/8 != uint64(e.end-e.begin) {
		return e, corrupt("%s: %d bytes of data do not fit shape %v of %s", where, e.end-e.begin, e.shape, e.dtype)
	}
	return e, nil
}

// elements is the product of a shape.
func elements(shape []int) (int, error) {
	n := uint64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v: negative dimension", shape)
		}
		high, low := bits.Mul64(n, uint64(d))
		if high != 0 || low > math.MaxInt {
			return 0, fmt.Errorf("shape %v: too many elements", shape)
		}
		n = low
	}
	return int(n), nil
}

func (p parser) object(where string, field func(key string) error) error {
	if err := p.delim(where, '{'); err != nil {
		return err
	}
	for p.More() {
		key, err := p.str(where)
		if err != nil {
			return err
		}
		if err := field(key); err != nil {
			return err
		}
	}
	return p.delim(where, '}')
}

func (p parser) integers(where string, most int) ([]int64, error) {
	if err := p.delim(where, '['); err != nil {
		return nil, err
	}
	var list []int64
	for p.More() {
		if len(list) == most {
			return nil, corrupt("%s: more than %d numbers", where, most)
		}
		token, err := p.Token()
		if err != nil {
			return nil, corrupt("%s: %v", where, err)
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, corrupt("%s: %v is not a number", where, token)
		}
		n, err := strconv.ParseUint(number.String(), 10, 63)
		if err != nil {
			return nil, corrupt("%s: %s is not a whole number below 2^63", where, number)
		}
		if n > math.MaxInt {
			return nil, corrupt("%s: %s is too large for this machine", where, number)
		}
		list = append(list, int64(n))
	}
	return list, p.delim(where, ']')
}

func (p parser) str(where string) (string, error) {
	token, err := p.Token()
	if err != nil {
		return "", corrupt("%s: %v", where, err)
	}
	s, ok := token.(string)
	if !ok {
		return "", corrupt("%s: %v where a string should be", where, token)
	}
	return s, nil
}

func (p parser) delim(where string, want json.Delim) error {
	token, err := p.Token()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return corrupt("%s: JSON ends where %q should be", where, want.String())
	}
	if err != nil {
		return corrupt("%s: %v", where, err)
	}
	if token != want {
		return corrupt("%s: %v where %q should be", where, token, want.String())
	}
	return nil
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, safeio.ErrCorrupt)...)
}
