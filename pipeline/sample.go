package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

const (
	// A sample is at most samplePlaces pieces of samplePlace bytes, which are
	// evenly spread over the corpus, each moved at random within its share of it.
	samplePlaces = 24
	samplePlace  = 1 << 20
)

// sampleOf chooses the pieces; all of a corpus that is not larger than a sample.
// A serial source can only be read from its beginning, so what would be
// taken anywhere in it is taken there.
func sampleOf(sources []*source, total int64) []unit {
	var starts []int64
	if total <= samplePlaces*samplePlace {
		for at := int64(0); at < total; at += samplePlace {
			starts = append(starts, at)
		}
	} else {
		share := total / samplePlaces
		for i := range int64(samplePlaces) {
			r := rng.New(0, "sample", uint64(i), 0)
			shift := r.Float64() * float64(share-samplePlace)
			starts = append(starts, i*share+int64(shift))
		}
	}
	var places []unit
	first, begin := 0, int64(0) // the source in which the piece begins, and where that begins
	heads := map[int]int64{}    // of serial sources: what has been taken
	for i, at := range starts {
		u := unit{index: i}
		end := min(at+samplePlace, total)
		for begin+sources[first].size <= at {
			begin += sources[first].size
			first++
		}
		from := begin
		for k := first; k < len(sources) && from < end; k++ {
			s := sources[k]
			seg := segment{s, max(at-from, 0), min(end-from, s.size)}
			if s.serial {
				n := seg.to - seg.from
				seg.from, seg.to = heads[k], heads[k]+n
				heads[k] += n
			}
			u.segments = append(u.segments, seg)
			from += s.size
		}
		places = append(places, u)
	}
	return places
}

// sampler does the stages of Shard on a sample.
type sampler struct {
	options Options
	plan    Plan
	places  []unit
	workers int
	scale   float64 // bytes of the corpus for one of the sample
}

// timed calls do for each of n pieces, with the workers, and says how long it
// took altogether.
func (s *sampler) timed(ctx context.Context, n int, do func(ctx context.Context, i int) error) (float64, error) {
	begun := time.Now()
	err := each(ctx, s.workers, n, do)
	return time.Since(begun).Seconds(), err
}

// scan reads and hashes what is read as it is stored; what is not, the gauge has
// timed.
func (s *sampler) scan(ctx context.Context) (float64, error) {
	took, err := s.timed(ctx, len(s.places), func(ctx context.Context, i int) error {
		for _, seg := range s.places[i].segments {
			if seg.source.serial {
				continue
			}
			f, err := newFeed(ctx, seg.source, s.plan, nil)
			if err != nil {
				return err
			}
			_, err = io.Copy(sha256.New(), io.NewSectionReader(f.file, seg.from, seg.to-seg.from))
			f.Close()
			if err != nil {
				return f.explain(err)
			}
		}
		return nil
	})
	return took * s.scale, err
}

// compare makes ids and signatures.
func (s *sampler) compare(ctx context.Context, units int, f *Forecast) error {
	near := nearOptionsOf(s.options.Dedup, s.options.Similarity)
	sizes := make([]int, len(s.places))
	took, err := s.timed(ctx, len(s.places), func(ctx context.Context, i int) error {
		c := newCensus(near)
		var r reader
		defer r.closeSource()
		for _, seg := range s.places[i].segments {
			if err := r.segment(ctx, seg, s.plan, new(Report), func(d Doc) error {
				if c.add(d) {
					sizes[i] += len(c.take())
				}
				return nil
			}); err != nil {
				return err
			}
		}
		sizes[i] += len(c.take())
		return nil
	})
	fixed := headSize + indexSize // of a section
	if near != nil {
		fixed += indexSize
	}
	var records float64
	for _, n := range sizes {
		records += float64(n - fixed)
	}
	f.Seconds.Compare = took * s.scale
	f.WorkBytes = int64(records*s.scale) + int64(units*fixed)
	return err
}

// train makes a tokenizer from the sample. Reading grows with the corpus; what
// is done with the words after that, with the number of different ones, about
// the square root of it (Heaps' law).
func (s *sampler) train(ctx context.Context) (float64, error) {
	begun := time.Now()
	read := begun
	var failed error
	encoder, _, err := s.options.Train(func(yield func(string) bool) {
		failed = trainingDocs(ctx, [][]unit{s.places}, s.plan, nil, func(d Doc) bool { return yield(d.Text) })
		read = time.Now()
	})
	if failed != nil {
		err = failed
	}
	s.options.Encoder = encoder
	return read.Sub(begun).Seconds()*s.scale + time.Since(read).Seconds()*math.Sqrt(s.scale), err
}

// shard makes shards, without writing them, and fills in what it has counted.
func (s *sampler) shard(ctx context.Context, tasks [][]unit, f *Forecast) error {
	e := s.options.Encoder
	s.plan.Tokenizer = Vocabulary{SHA256: e.Hash(), Size: e.VocabSize(), EOS: e.EOS()}
	// The first pieces find the encoder's cache empty and are not timed, unless
	// they are all.
	warm := len(s.places) - len(s.places)*3/4/s.workers*s.workers
	if s.scale == 1 || warm == len(s.places) {
		warm = 0
	}
	counts := make([]Totals, len(s.places))
	run := func(from, to int) (float64, error) {
		return s.timed(ctx, s.workers, func(ctx context.Context, w int) error {
			var mine []unit
			for i := from + w; i < to; i += s.workers {
				mine = append(mine, s.places[i])
			}
			return s.build(ctx, mine, counts)
		})
	}
	cold, err := run(0, warm)
	if err != nil {
		return err
	}
	took, err := run(warm, len(s.places))
	if err != nil {
		return err
	}
	var all Totals
	var coldBytes int64
	for i, c := range counts {
		if i < warm {
			coldBytes += s.places[i].size()
		}
		all.Documents += c.Documents
		all.Tokens += c.Tokens
		all.Bytes += c.Bytes
	}
	ideal := float64(f.Corpus) / float64(s.workers)
	f.Seconds.Shard = cold + took*float64(f.Corpus-coldBytes)/float64(f.Sampled-coldBytes)*float64(makespan(tasks, s.workers))/ideal
	f.Documents = int64(float64(all.Documents) * s.scale)
	f.Tokens = int64(float64(all.Tokens) * s.scale)
	f.Bytes = int64(float64(all.Bytes) * s.scale)
	f.Shards = s.plan.expectedShards(tasks, float64(all.Documents)/float64(f.Sampled))
	if s.scale > 1 {
		f.Error = s.spread(counts, float64(all.Tokens)/float64(f.Sampled))
	}
	return nil
}

// build sends pieces of the sample through the sinks of shards that nobody
// keeps, and counts what each has given.
func (s *sampler) build(ctx context.Context, places []unit, counts []Totals) error {
	b := newBuilder(s.options, s.plan, new(work), newMeter("", 0, nil))
	defer b.closeSource()
	sinks := map[string]*sink{}
	for _, split := range s.plan.splits() {
		k, err := b.newSink(io.Discard, "", split)
		if err != nil {
			return err
		}
		sinks[split] = k
	}
	var before Totals
	for i, u := range places {
		unread, err := b.documents(ctx, u, sinks, new(Report))
		if unread != nil {
			return unread
		}
		if err != nil {
			return err
		}
		var now Totals
		for _, k := range sinks {
			var err error
			if i == len(places)-1 {
				_, err = k.close()
			} else if k.texts.bytes > 0 {
				err = k.flush()
			}
			if err != nil && !errors.Is(err, errNoDocuments) {
				return err
			}
			now.Documents += k.info.Documents
			now.Tokens += k.info.Tokens
			now.Bytes += k.bytes.n
		}
		counts[u.index] = Totals{Documents: now.Documents - before.Documents, Tokens: now.Tokens - before.Tokens, Bytes: now.Bytes - before.Bytes}
		before = now
	}
	return nil
}

// spread is twice the standard error of the tokens of a byte, as a share of
// them: that of a ratio estimated from clusters (Cochran, "Sampling techniques",
// 1977, section 2.11).
func (s *sampler) spread(counts []Totals, ratio float64) float64 {
	var squares, size float64
	n := float64(len(counts))
	for i, c := range counts {
		d := float64(c.Tokens) - ratio*float64(s.places[i].size())
		squares += d * d
		size += float64(s.places[i].size()) / n
	}
	return 2 * math.Sqrt(squares/(n-1)/n) / size / ratio
}
