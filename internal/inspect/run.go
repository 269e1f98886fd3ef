package inspect

import (
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Parts of a run that change while it trains.
const (
	PartMetrics    = "metrics"
	PartWarp       = "warp"
	PartSamples    = "samples"
	PartEmbeddings = "embeddings"
)

// Run follows a run directory in bounded memory: curves are thinned, and of
// snapshots and samples it knows where some of them are. Nothing outside of the
// directory is read, whatever links lead there. It is safe for concurrent use.
type Run struct {
	dir  string
	root *os.Root

	mu        sync.Mutex
	config    *trainer.Config
	tokenizer *tokenize.Tokenizer
	settings  map[string]os.FileInfo // of their files, as they were read
	step      int
	tokens    int
	problems  map[string]error // by file

	metrics     log
	training    thinned[Point]
	evaluations thinned[trainer.MetricsLine]
	best        *Held // of all evaluations
	timing      log
	speed       thinned[trainer.TimingLine]
	warp        index[warpEntry]
	samples     index[trainer.SampleLine] // without text and frames
	table       index[TableHealth]
}

// Open opens a run directory. One that does not exist is [safeio.ErrNotFound];
// whatever is wrong inside of it is a problem of the run (see [Run.Problem]) and
// no error.
func Open(dir string) (*Run, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("no run directory %q: %w", dir, safeio.ErrNotFound)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	r := &Run{dir: dir, root: root}
	r.forget()
	return r, nil
}

// forget forgets all that was read.
func (r *Run) forget() {
	r.config, r.tokenizer, r.settings = nil, nil, map[string]os.FileInfo{}
	r.step, r.tokens, r.problems, r.best = 0, 0, map[string]error{}, nil
	r.metrics, r.timing = log{name: trainer.MetricsFile}, log{name: trainer.TimingFile}
	r.training = thinned[Point]{limit: maxPoints, merge: mergePoints}
	r.evaluations = thinned[trainer.MetricsLine]{limit: maxEvaluations, merge: latest[trainer.MetricsLine]}
	r.speed = thinned[trainer.TimingLine]{limit: maxPoints, merge: mergeTiming}
	r.warp = index[warpEntry]{log: log{name: trainer.WarpFile}, decode: decodeWarp, check: checkWarp}
	r.samples = index[trainer.SampleLine]{log: log{name: trainer.SamplesFile}, decode: decodeSample}
	r.table = index[TableHealth]{log: log{name: trainer.EmbeddingsFile}, decode: decodeTable}
}

// renew opens the directory again where another has taken its place. One that is
// gone for now may come back.
func (r *Run) renew() (renewed bool) {
	now, err := os.Stat(r.dir)
	if err != nil {
		return false
	}
	if was, err := r.root.Stat("."); err == nil && os.SameFile(was, now) {
		return false
	}
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return false
	}
	r.root.Close()
	r.root = root
	r.forget()
	return true
}

// Close ends the reading.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.root.Close()
}

// Dir is the directory as it was named.
func (r *Run) Dir() string { return r.dir }

// read opens a run and reads it once.
func read(dir string) (*Run, error) {
	r, err := Open(dir)
	if err == nil {
		r.Update()
	}
	return r, err
}

// Update reads what the run has gained and returns the parts that have changed.
func (r *Run) Update() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var changed []string
	if r.renew() {
		changed = []string{PartMetrics, PartWarp, PartSamples, PartEmbeddings}
	}
	r.readSettings()
	before := r.problemLine()
	note := func(file, part string, gained bool, err error) {
		if absent(err) {
			err = nil
		}
		r.problems[file] = err
		if gained && !slices.Contains(changed, part) {
			changed = append(changed, part)
		}
	}
	at := r.metrics.offset
	err := r.metrics.follow(r.root, r.forgetMetrics, r.addMetrics)
	note(trainer.MetricsFile, PartMetrics, r.metrics.offset != at, err)
	at = r.timing.offset
	err = r.timing.follow(r.root, r.speed.forget, r.addTiming)
	note(trainer.TimingFile, PartMetrics, r.timing.offset != at, err)
	gained, err := r.warp.update(r.root)
	note(trainer.WarpFile, PartWarp, gained, err)
	gained, err = r.samples.update(r.root)
	note(trainer.SamplesFile, PartSamples, gained, err)
	gained, err = r.table.update(r.root)
	note(trainer.EmbeddingsFile, PartEmbeddings, gained, err)
	for _, e := range []int{lastStep(r.warp.all()), lastStep(r.samples.all())} {
		r.step = max(r.step, e)
	}
	if len(changed) == 0 && before != r.problemLine() {
		changed = append(changed, PartMetrics)
	}
	return changed
}
