package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// load opens a shard for windows: of a Parquet file its tokens are decoded, an
// Arrow file is mapped.
func (d *Dataset) load(ctx context.Context, s ShardInfo) (circle, error) {
	if wide(d.manifest.Plan.Tokenizer.Size) {
		return loadCircle[uint32](ctx, d, s)
	}
	return loadCircle[uint16](ctx, d, s)
}

func loadCircle[T uint16 | uint32](ctx context.Context, d *Dataset, s ShardInfo) (circle, error) {
	v := d.manifest.Plan.Tokenizer
	if d.manifest.Plan.Format == FormatArrow {
		data, err := checked(ctx, d, s, mapShard)
		if err != nil {
			return nil, err
		}
		m, err := mapCircle[T](data, s, v)
		if err != nil {
			data.close()
			return nil, err
		}
		return m, nil
	}
	data, err := checked(ctx, d, s, readShard)
	if err != nil {
		return nil, err
	}
	return decodeCircle[T](data, s, v)
}

// checked opens the file of a shard and reads it with [readShard] or [mapShard]:
// nothing else looks into a shard before one of these is done with it. That is
// what stands between damage and the parsers, which, given a file with a flipped
// bit, return other rows, panic, or ask for more memory than there is. A damaged
// file that was a copy is replaced by another.
func checked[R any](ctx context.Context, d *Dataset, s ShardInfo, read func(*os.File, ShardInfo) (R, error)) (r R, err error) {
	for range 2 {
		var file *os.File
		if file, err = d.files.shard(ctx, s); err != nil {
			return r, fmt.Errorf("read shard %q: %w", s.File, err)
		}
		r, err = read(file, s)
		file.Close()
		if !errors.Is(err, safeio.ErrCorrupt) || !d.files.renew(s) {
			break
		}
	}
	return r, err
}

// readShard reads a shard file and checks number and hash of its bytes.
func readShard(file *os.File, s ShardInfo) ([]byte, error) {
	data, err := readUpTo(file, s.Bytes)
	if errors.Is(err, safeio.ErrLimit) {
		return nil, damaged(s, fmt.Errorf("it is larger than the %d bytes in the manifest", s.Bytes))
	}
	if err != nil {
		return nil, fmt.Errorf("read shard %q: %w", s.File, err)
	}
	return data, checkShard(data, s)
}

// circle is the number of tokens of a shard with the EOS after each document.
func (v Vocabulary) circle(s ShardInfo) int64 {
	if v.EOS < 0 {
		return s.Tokens
	}
	return s.Tokens + s.Documents
}

// width is the number of bytes of a token.
func width(v Vocabulary) int64 {
	if wide(v.Size) {
		return 4
	}
	return 2
}
