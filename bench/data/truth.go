package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// truth is what Hugging Face tokenizers makes of a text; peer/truth.py writes it.
type truth struct {
	ids         []int32 // in default settings
	plain       []int32 // the text of special tokens is text
	decoded     string  // plain, without special tokens
	withSpecial string  // ids, with special tokens
	processed   []int32 // ids with what the post-processor adds; of short texts
}

const same = 1<<32 - 1 // in place of a length: as what came before

// readTruth gives the records of a file, one for each text.
type readTruth struct {
	file *os.File
	in   *bufio.Reader
}

func openTruth(path string) (*readTruth, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &readTruth{file, bufio.NewReaderSize(file, 1<<20)}, nil
}

func (r *readTruth) next(text string) (t truth, err error) {
	read := func(former []int32) []int32 {
		data, again, e := r.part(4)
		if e != nil && err == nil {
			err = e
		}
		if again {
			return former
		}
		ids := make([]int32, len(data)/4)
		for i := range ids {
			ids[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return ids
	}
	readText := func(former string) string {
		data, again, e := r.part(1)
		if e != nil && err == nil {
			err = e
		}
		if again {
			return former
		}
		return string(data)
	}
	t.ids = read(nil)
	t.plain = read(t.ids)
	t.decoded = readText(text)
	t.withSpecial = readText(t.decoded)
	t.processed = read(t.ids)
	if err != nil {
		err = fmt.Errorf("read %q: %w", r.file.Name(), err)
	}
	return t, err
}

// nextOffsets reads start and end of each token of a text; peer/offsets.py writes them.
func (r *readTruth) nextOffsets() ([]int32, error) {
	data, _, err := r.part(8)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", r.file.Name(), err)
	}
	places := make([]int32, len(data)/4)
	for i := range places {
		places[i] = int32(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return places, nil
}

// part reads a length and as many items of some bytes.
func (r *readTruth) part(width int) (data []byte, again bool, err error) {
	var length [4]byte
	if _, err := io.ReadFull(r.in, length[:]); err != nil {
		return nil, false, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n == same {
		return nil, true, nil
	}
	data = make([]byte, int(n)*width)
	_, err = io.ReadFull(r.in, data)
	return data, false, err
}

func (r *readTruth) ended() error {
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %q: it holds more than the texts", r.file.Name())
	}
	return nil
}

func (r *readTruth) close() { r.file.Close() }
