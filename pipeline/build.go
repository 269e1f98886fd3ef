package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// build makes the shards of every unit that is not done yet and returns the
// records of all, in the order of the units.
func build(ctx context.Context, o Options, plan Plan, w *work, tasks [][]unit) ([]record, error) {
	records := make([]record, countUnits(tasks))
	progress := newMeter("shard", plan.Corpus.Bytes, o.Progress)
	err := each(ctx, o.Workers, len(tasks), func(ctx context.Context, i int) error {
		b := newBuilder(o, plan, w, progress)
		defer b.closeSource()
		for _, u := range tasks[i] {
			r, err := b.unit(ctx, u)
			if err != nil {
				return err
			}
			records[u.index] = r
		}
		return nil
	})
	return records, err
}

// builder makes the units of one task.
type builder struct {
	options  Options
	plan     Plan
	work     *work
	schema   *arrow.Schema
	progress *meter
	told     int64 // bytes of the unit that progress knows of
	scratch  []int32

	reader
}

func newBuilder(o Options, plan Plan, w *work, progress *meter) *builder {
	return &builder{options: o, plan: plan, work: w, schema: schema(plan.Tokenizer), progress: progress}
}

// unit makes the shards of a unit, unless they are there, and records it.
func (b *builder) unit(ctx context.Context, u unit) (record, error) {
	size := u.size()
	if r, ok := b.work.done(u.index); ok {
		b.progress.add(size)
		return r, nil
	}
	b.told = 0
	r, err := b.shards(ctx, u)
	if err == nil {
		err = b.work.record(u.index, r)
	}
	if err == nil {
		b.progress.add(size - b.told)
	}
	return r, err
}

// tellEvery is how often progress is told of a unit that is being made, in
// bytes of text.
const tellEvery = 1 << 20

// errNoDocuments ends the writing of a shard that has no documents, so that no
// file appears.
var errNoDocuments = errors.New("no documents")

// shards writes the shard files of a unit: those of held-out documents around
// that of the training documents, since all are open at once.
func (b *builder) shards(ctx context.Context, u unit) (r record, err error) {
	sinks := map[string]*sink{}
	var unread error // a failure of a source says nothing about the shard
	var open func(splits []string) error
	open = func(splits []string) error {
		if len(splits) == 0 {
			unread, err = b.documents(ctx, u, sinks, &r.Report)
			return errors.Join(unread, err)
		}
		var info ShardInfo
		split := splits[len(splits)-1]
		name := shardFile(split, u.index, b.plan.Format)
		err := b.options.FS.WriteFile(b.work.path(name), func(w io.Writer) error {
			s, err := b.newSink(w, name, split)
			if err != nil {
				return err
			}
			sinks[split] = s
			if err := open(splits[:len(splits)-1]); err != nil {
				return err
			}
			if info, err = s.close(); err != nil {
				return err
			}
			return b.work.check(info)
		})
		if errors.Is(err, errNoDocuments) {
			return b.work.check(ShardInfo{File: name})
		}
		if err == nil {
			r.Shards = append(r.Shards, info)
		}
		return err
	}
	err = open(b.work.missing(u.index))
	if unread != nil {
		err = unread
	}
	return r, err
}

// documents sends the documents of a unit to the sink of their split. It tells
// what cannot be read from what cannot be written.
func (b *builder) documents(ctx context.Context, u unit, sinks map[string]*sink, report *Report) (unread, unwritten error) {
	drops, err := b.work.drops(b.plan, u.index)
	if err != nil {
		return err, nil
	}
	var before int64 // bytes of the segments that are done
	var seg segment
	do := drops.filter(report, func(d Doc) error {
		// A document may run on beyond the unit, to the end of its source.
		if n := before + min(d.Offset, seg.to) - seg.from; n-b.told >= tellEvery {
			b.progress.add(n - b.told)
			b.told = n
		}
		if s := sinks[d.Split]; s != nil { // else its shard is whole
			unwritten = s.add(d)
		}
		return unwritten
	})
	for _, seg = range u.segments {
		err := b.segment(ctx, seg, b.plan, report, do)
		before += seg.to - seg.from
		if unwritten != nil {
			return nil, unwritten
		}
		if err != nil {
			return err, nil
		}
	}
	return nil, nil
}

// sink turns the documents of a split into a shard file.
type sink struct {
	b     *builder
	texts *batcher
	file  batchWriter
	bytes *hashing
	info  ShardInfo
}

func (b *builder) newSink(w io.Writer, name, split string) (*sink, error) {
	h := &hashing{w: w, sum: sha256.New()}
	file, err := newBatchWriter(h, b.plan)
	return &sink{b: b, texts: newBatcher(), file: file, bytes: h, info: ShardInfo{File: name, Split: split}}, err
}

func (s *sink) add(d Doc) error {
	s.info.Documents++
	s.info.TextBytes += int64(len(d.Text))
	if s.texts.add(d) {
		return s.flush()
	}
	return nil
}

func (s *sink) flush() error {
	texts := s.texts.take()
	defer texts.Release()
	batch, tokens, err := encode(texts, s.b.options.Encoder, s.b.schema, &s.b.scratch)
	if err != nil {
		return err
	}
	defer batch.Release()
	s.info.Tokens += tokens
	if err := s.file.Write(batch); err != nil {
		return fmt.Errorf("write a batch of %d documents: %w", batch.NumRows(), err)
	}
	return nil
}

func (s *sink) close() (ShardInfo, error) {
	if s.info.Documents == 0 {
		return ShardInfo{}, errNoDocuments
	}
	if s.texts.bytes > 0 {
		if err := s.flush(); err != nil {
			return ShardInfo{}, err
		}
	}
	if err := s.file.Close(); err != nil {
		return ShardInfo{}, err
	}
	s.info.Bytes, s.info.SHA256 = s.bytes.n, hex.EncodeToString(s.bytes.sum.Sum(nil))
	return s.info, nil
}

// hashing counts and hashes what goes through it.
type hashing struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (h *hashing) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	h.sum.Write(p[:n])
	h.n += int64(n)
	return n, err
}
