package pipeline

import (
	"context"
	"errors"
	"math"
	"slices"
)

// Forecast is what [Shard] would make, as [Foresee] estimates it.
type Forecast struct {
	Sources   int   `json:"sources"`
	Corpus    int64 `json:"corpus_bytes"` // decompressed
	Documents int64 `json:"documents"`
	Tokens    int64 `json:"tokens"`
	Shards    int   `json:"shards"`
	Bytes     int64 `json:"bytes"`      // of the data set
	WorkBytes int64 `json:"work_bytes"` // beside it while duplicates are looked for

	Seconds Durations `json:"seconds"`

	Sampled int64 `json:"sampled_bytes"`
	// Error is twice the standard error of Tokens as a share of it; 0 if all of
	// the corpus was in the sample.
	Error float64 `json:"error"`
}

// Durations are the estimated times of the stages, in seconds.
type Durations struct {
	Scan    float64 `json:"scan"`
	Compare float64 `json:"compare"`
	Train   float64 `json:"train"`
	Shard   float64 `json:"shard"`
}

// Total is the sum of the stages.
func (d Durations) Total() float64 { return d.Scan + d.Compare + d.Train + d.Shard }

// Foresee estimates what Shard makes of the same options without writing
// anything. It does the work of every stage on a sample, with as many workers,
// and scales up: what is counted is the same every time, what is timed is not.
// Duplicates cannot be seen in a sample; the counts include them.
func Foresee(ctx context.Context, o Options) (*Forecast, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if slices.Contains(o.Sources, stdinArgument) {
		return nil, errors.New("sample the corpus: standard input can only be read once")
	}
	found, report, err := discover(ctx, o)
	if err != nil {
		return nil, err
	}
	g := gauge{ctx: ctx, plan: o.plan(), spare: newSpare()}
	if found, err = g.sizes(found); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, nothing(report)
	}
	f := &Forecast{Sources: len(found)}
	for _, s := range found {
		f.Corpus += s.size
	}
	places := sampleOf(found, f.Corpus)
	for _, u := range places {
		f.Sampled += u.size()
		if err := g.stamp(u); err != nil {
			return nil, err
		}
	}
	s := sampler{options: o, plan: o.plan(), places: places, scale: float64(f.Corpus) / float64(f.Sampled)}
	s.plan.Dedup, s.plan.Similarity = "", 0
	tasks := cut(found, o.ShardSize)
	s.workers = min(o.Workers, len(tasks), len(places))
	if f.Seconds.Scan, err = s.scan(ctx); err != nil {
		return nil, err
	}
	f.Seconds.Scan += g.seconds / float64(s.workers)
	if o.Dedup != "" {
		if err := s.compare(ctx, countUnits(tasks), f); err != nil {
			return nil, err
		}
	}
	if o.Encoder == nil {
		if f.Seconds.Train, err = s.train(ctx); err != nil {
			return nil, err
		}
	}
	return f, s.shard(ctx, tasks, f)
}

// expectedShards is how many files the units give: a unit without a document of
// a split gives none.
func (p Plan) expectedShards(tasks [][]unit, docsPerByte float64) int {
	shares := map[string]float64{TrainSplit: 1 - p.Val - p.Test, ValSplit: p.Val, TestSplit: p.Test}
	n := 0.0
	for _, units := range tasks {
		for _, u := range units {
			docs := math.Max(1, docsPerByte*float64(u.size()))
			for _, split := range p.splits() {
				n += 1 - math.Pow(1-shares[split], docs)
			}
		}
	}
	return int(math.Round(n))
}

// makespan is how long the tasks take, done in order by so many workers, if a
// byte takes each of them one unit of time.
func makespan(tasks [][]unit, workers int) int64 {
	busy := make([]int64, workers)
	for _, units := range tasks {
		first := 0
		for w := range busy {
			if busy[w] < busy[first] {
				first = w
			}
		}
		for _, u := range units {
			busy[first] += u.size()
		}
	}
	return slices.Max(busy)
}
