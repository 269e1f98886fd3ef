package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
	"github.com/seed-4c77ef92/textwarp/trainer/checkpoint"
)

// Bounds of what is kept of a run, however long it is.
const (
	maxPoints      = 4096 // of a curve
	maxEvaluations = 200
	maxConfig      = 1 << 20   // bytes
	maxTokenizer   = 256 << 20 // bytes
)

// States of a run.
const (
	Training = "training" // a process is writing to it
	Stopped  = "stopped"
	Finished = "finished"
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
	step      int
	tokens    int
	problems  map[string]error // by file

	metrics     log
	training    thinned[Point]
	evaluations thinned[trainer.MetricsLine]
	timing      log
	speed       thinned[trainer.TimingLine]
	warp        index[warpEntry]
	samples     index[trainer.SampleLine] // without text and frames
	table       index[TableHealth]
}

// Point is a point of the training curves: a line of metrics.jsonl or, in a long
// run, the mean of several.
type Point struct {
	trainer.MetricsLine         // means; step, tokens and skipped steps of the last
	LossMin             float64 `json:"loss_min,omitempty"`
	LossMax             float64 `json:"loss_max,omitempty"`
	Lines               int     `json:"lines,omitempty"` // 0 where it is one
}

type warpEntry struct {
	kind       string
	tMin, tMax float64
	quantiles  []timewarp.Quantile
}

// TableHealth is what is kept of a line of embeddings.jsonl.
type TableHealth struct {
	Step          int
	MeanCosine    float64
	MaxCosine     float64
	EffectiveRank float64
	RawNorm       embeddings.Quantiles
	Alarms        []string
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
	r := &Run{
		dir: dir, root: root, problems: map[string]error{},
		metrics:     log{name: trainer.MetricsFile},
		timing:      log{name: trainer.TimingFile},
		training:    thinned[Point]{limit: maxPoints, merge: mergePoints},
		evaluations: thinned[trainer.MetricsLine]{limit: maxEvaluations, merge: latest[trainer.MetricsLine]},
		speed:       thinned[trainer.TimingLine]{limit: maxPoints, merge: mergeTiming},
		warp:        index[warpEntry]{log: log{name: trainer.WarpFile}, decode: decodeWarp, check: checkWarp},
		samples:     index[trainer.SampleLine]{log: log{name: trainer.SamplesFile}, decode: decodeSample},
		table:       index[TableHealth]{log: log{name: trainer.EmbeddingsFile}, decode: decodeTable},
	}
	return r, nil
}

// Close ends the reading.
func (r *Run) Close() error { return r.root.Close() }

// Dir is the directory as it was named.
func (r *Run) Dir() string { return r.dir }

func mergePoints(a Point, na int, b Point, nb int) Point {
	p := b
	p.Loss, p.GradNorm, p.LR = mean(a.Loss, na, b.Loss, nb), mean(a.GradNorm, na, b.GradNorm, nb), mean(a.LR, na, b.LR, nb)
	aMin, aMax := a.LossRange()
	bMin, bMax := b.LossRange()
	p.LossMin, p.LossMax, p.Lines = min(aMin, bMin), max(aMax, bMax), na+nb
	return p
}

// LossRange is from the lowest to the highest loss of the point's lines.
func (p Point) LossRange() (low, high float64) {
	if p.Lines == 0 {
		return p.Loss, p.Loss
	}
	return p.LossMin, p.LossMax
}

func mergeTiming(a trainer.TimingLine, na int, b trainer.TimingLine, nb int) trainer.TimingLine {
	b.TokensPerSecond = mean(a.TokensPerSecond, na, b.TokensPerSecond, nb)
	b.GFLOPS = mean(a.GFLOPS, na, b.GFLOPS, nb)
	return b
}

func latest[P any](_ P, _ int, b P, _ int) P { return b }

// Update reads what the run has gained and returns the parts that have changed.
func (r *Run) Update() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readSettings()
	before := r.problemLine()
	var changed []string
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

func lastStep[T any](entries []entry[T]) int {
	if len(entries) == 0 {
		return 0
	}
	return entries[len(entries)-1].step
}

func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// readSettings reads configuration and tokenizer until they are there.
func (r *Run) readSettings() {
	if r.config == nil {
		c, err := r.readConfig()
		if r.problems[trainer.ConfigFile] = err; err == nil {
			r.config = &c
		}
	}
	if r.tokenizer == nil {
		tok, err := r.readTokenizer()
		if r.problems[trainer.TokenizerFile] = err; err == nil {
			r.tokenizer = tok
		}
	}
}

func (r *Run) readConfig() (trainer.Config, error) {
	if err := r.small(trainer.ConfigFile, maxConfig); err != nil {
		return trainer.Config{}, err
	}
	return trainer.ReadConfig(r.dir)
}

func (r *Run) readTokenizer() (*tokenize.Tokenizer, error) {
	if err := r.small(trainer.TokenizerFile, maxTokenizer); err != nil {
		return nil, err
	}
	return tokenize.Load(filepath.Join(r.dir, trainer.TokenizerFile))
}

// small proves that a file is one of the run's own and no larger than limit,
// before it is read by its path. No file at all is no error here.
func (r *Run) small(name string, limit int64) error {
	file, size, err := openRegular(r.root, name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	file.Close()
	if size > limit {
		return fmt.Errorf("read %q: %d bytes, more than %d: %w", filepath.Join(r.dir, name), size, limit, safeio.ErrLimit)
	}
	return nil
}

func (r *Run) forgetMetrics() {
	r.training.forget()
	r.evaluations.forget()
	r.step, r.tokens = 0, 0
}

func (r *Run) addMetrics(line []byte) error {
	var m trainer.MetricsLine
	if err := unmarshal(line, &m); err != nil {
		return err
	}
	if m.Step < r.step && len(r.training.points) > 0 {
		return fmt.Errorf("step %d comes after step %d: %w", m.Step, r.step, safeio.ErrCorrupt)
	}
	if m.Eval != nil {
		if err := r.checkEvaluation(m.Eval); err != nil {
			return err
		}
		r.evaluations.add(m)
	} else {
		r.training.add(Point{MetricsLine: m})
	}
	r.step, r.tokens = m.Step, max(r.tokens, m.Tokens)
	return nil
}

func (r *Run) checkEvaluation(e *trainer.Evaluation) error {
	switch predicts := r.predicts(); {
	case predicts != (e.Likelihood != nil):
		return fmt.Errorf("the evaluation is not of the objective in %s: %w", trainer.ConfigFile, safeio.ErrCorrupt)
	case len(e.CE) != len(e.T) || len(e.SE) != len(e.T):
		return fmt.Errorf("the evaluation has %d noise levels, %d losses and %d errors: %w", len(e.T), len(e.CE), len(e.SE), safeio.ErrCorrupt)
	}
	return nil
}

// addTiming leaves out the lines of steps that were taken again after a crash:
// timing.jsonl, unlike the other logs, keeps them.
func (r *Run) addTiming(line []byte) error {
	var t trainer.TimingLine
	if err := unmarshal(line, &t); err != nil {
		return err
	}
	r.speed.drop(func(p trainer.TimingLine) bool { return p.Step >= t.Step })
	r.speed.add(t)
	return nil
}

// decodeWarp takes the line but for its curves, which are the most of it.
func decodeWarp(line []byte) (int, warpEntry, error) {
	var w struct {
		Step int `json:"step"`
		Warp struct {
			Kind      string              `json:"kind"`
			TMin      float64             `json:"t_min"`
			TMax      float64             `json:"t_max"`
			Quantiles []timewarp.Quantile `json:"quantiles"`
		} `json:"warp"`
	}
	err := unmarshal(line, &w)
	return w.Step, warpEntry{w.Warp.Kind, w.Warp.TMin, w.Warp.TMax, w.Warp.Quantiles}, err
}

func checkWarp(line []byte) error {
	_, err := parseWarp(line)
	return err
}

func parseWarp(line []byte) (trainer.WarpLine, error) {
	var w trainer.WarpLine
	if err := unmarshal(line, &w); err != nil {
		return w, err
	}
	if err := checkSnapshot(w.Warp); err != nil {
		return w, fmt.Errorf("step %d: %w: %w", w.Step, err, safeio.ErrCorrupt)
	}
	return w, nil
}

// decodeSample takes the line but for its text and its frames, which are the most
// of it.
func decodeSample(line []byte) (int, trainer.SampleLine, error) {
	var s struct {
		Step        int     `json:"step"`
		Seed        uint64  `json:"seed"`
		Steps       int     `json:"steps"`
		Temperature float64 `json:"temperature"`
	}
	err := unmarshal(line, &s)
	return s.Step, trainer.SampleLine{Step: s.Step, Seed: s.Seed, Steps: s.Steps, Temperature: s.Temperature}, err
}

func decodeTable(line []byte) (int, TableHealth, error) {
	var l struct {
		Step  int              `json:"step"`
		Stats embeddings.Stats `json:"stats"`
	}
	err := unmarshal(line, &l)
	s := l.Stats
	return l.Step, TableHealth{
		Step: l.Step, MeanCosine: s.MeanCosine, MaxCosine: s.MaxCosine, EffectiveRank: s.EffectiveRank,
		RawNorm: s.RawNorm, Alarms: s.Alarms[:min(len(s.Alarms), 8)],
	}, err
}

func unmarshal(line []byte, v any) error {
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%w (%w)", err, safeio.ErrCorrupt)
	}
	return nil
}

// read opens a run and reads it once.
func read(dir string) (*Run, error) {
	r, err := Open(dir)
	if err == nil {
		r.Update()
	}
	return r, err
}

// log tells what is wrong with a log, or that it is not there.
func (r *Run) log(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.problems[name]; err != nil {
		return err
	}
	if _, err := r.root.Stat(name); absent(err) {
		return fmt.Errorf("no %s in %q: not a run, or one that has not begun: %w", name, r.dir, errors.Join(safeio.ErrNotFound, fs.ErrNotExist))
	}
	return nil
}

// Problem is what is wrong with the run, in one line; "" if nothing is. What was
// read before it came to that can be shown all the same.
func (r *Run) Problem() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problemLine()
}

func (r *Run) problemLine() string {
	if err := r.err(); err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return line
	}
	return ""
}

// err is the first problem.
func (r *Run) err() error {
	for _, file := range []string{
		trainer.ConfigFile, trainer.TokenizerFile, trainer.MetricsFile, trainer.WarpFile,
		trainer.SamplesFile, trainer.EmbeddingsFile, trainer.TimingFile,
	} {
		if err := r.problems[file]; err != nil {
			return err
		}
	}
	return nil
}

// Summary says what a run is and how far it has come.
type Summary struct {
	Objective  string
	State      string
	Step       int
	Steps      int // planned; 0 if not known
	Tokens     int
	Length     int
	Vocab      int // of the tokenizer
	Dim        int
	Parameters int
	Tokenizer  string
	Problem    string
}

// Summary describes the run as of the last Update.
func (r *Run) Summary() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Summary{Objective: trainer.CDCD, State: Stopped, Step: r.step, Tokens: r.tokens, Problem: r.problemLine()}
	if r.predicts() {
		s.Objective = trainer.AR
	}
	if t := r.tokenizer; t != nil {
		s.Vocab, s.Tokenizer = t.VocabSize(), t.Kind()
	}
	if c := r.config; c != nil {
		s.Steps, s.Length, s.Dim = c.Run.Steps, c.Data.Length, c.Model.EmbedDim
		if d := c.Denoiser(s.Vocab); s.Vocab > 0 && d.Validate() == nil {
			s.Parameters = d.Vocab*d.EmbedDim + d.NumParams()
		}
	}
	switch {
	case safeio.Writing(r.dir):
		s.State = Training
	case s.Steps > 0 && s.Step >= s.Steps:
		s.State = Finished
	}
	return s
}

// predicts tells a run of the objective "ar". A directory of logs without a
// configuration is taken for a run of diffusion.
func (r *Run) predicts() bool { return r.config != nil && r.config.Process.Objective == trainer.AR }

// Config is the run's configuration; an error if it has none that can be read.
func (r *Run) Config() (trainer.Config, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.config != nil {
		return *r.config, nil
	}
	return trainer.Config{}, r.problems[trainer.ConfigFile]
}

// Tokenizer is the run's; an error if it has none that can be read.
func (r *Run) Tokenizer() (*tokenize.Tokenizer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokenizer != nil {
		return r.tokenizer, nil
	}
	return nil, r.problems[trainer.TokenizerFile]
}

// Training returns at most n points of the training curves.
func (r *Run) Training(n int) []Point {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.training.most(n)
}

// Speed returns at most n points of the speed.
func (r *Run) Speed(n int) []trainer.TimingLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.speed.most(n)
}

// Evaluations returns at most n held-out evaluations, the newest among them.
func (r *Run) Evaluations(n int) []trainer.MetricsLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.evaluations.most(n)
}

// WarpSteps lists the steps whose snapshots can be had, and the quantiles of
// each.
func (r *Run) WarpSteps() (steps []int, at [][]timewarp.Quantile) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.warp.all() {
		steps, at = append(steps, e.step), append(at, e.kept.quantiles)
	}
	return steps, at
}

// Snapshot reads the snapshot of a step of [Run.WarpSteps].
func (r *Run) Snapshot(step int) (trainer.WarpLine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line, err := lineOf(&r.warp, r.root, step)
	if err != nil {
		return trainer.WarpLine{}, err
	}
	return parseWarp(line)
}

// Samples lists the texts that the run wrote, without the texts.
func (r *Run) Samples() []trainer.SampleLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []trainer.SampleLine
	for _, e := range r.samples.all() {
		all = append(all, e.kept)
	}
	return all
}

// Sample reads the text of a step of [Run.Samples].
func (r *Run) Sample(step int) (trainer.SampleLine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var s trainer.SampleLine
	line, err := lineOf(&r.samples, r.root, step)
	if err != nil {
		return s, err
	}
	return s, unmarshal(line, &s)
}

// lineOf reads the line of a step.
func lineOf[T any](x *index[T], root *os.Root, step int) ([]byte, error) {
	all := x.all()
	at, found := slices.BinarySearchFunc(all, step, func(e entry[T], step int) int { return e.step - step })
	if !found {
		return nil, fmt.Errorf("no line of step %d in %q: %w", step, filepath.Join(root.Name(), x.name), safeio.ErrNotFound)
	}
	return x.line(root, all[at])
}

// Health is the table's over training; nothing of a run that has no
// embeddings.jsonl.
func (r *Run) Health() []TableHealth {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []TableHealth
	for _, e := range r.table.all() {
		all = append(all, e.kept)
	}
	return all
}

// Checkpoint is the newest checkpoint: its step, and nothing of it outside of the
// run directory. Without one the error is [safeio.ErrNotFound].
func (r *Run) Checkpoint() (step int, err error) {
	if err := r.inside(); err != nil {
		return 0, err
	}
	steps, err := checkpoint.Steps(r.dir)
	if err != nil {
		return 0, err
	}
	if len(steps) == 0 {
		return 0, fmt.Errorf("no checkpoint in %q yet: %w", r.dir, safeio.ErrNotFound)
	}
	return steps[len(steps)-1], nil
}

// inside refuses checkpoints that links lead out of the run to, or whose files
// are no files, and the same of what is read along with them.
func (r *Run) inside() error {
	if err := errors.Join(r.small(trainer.ConfigFile, maxConfig), r.small(trainer.TokenizerFile, maxTokenizer)); err != nil {
		return err
	}
	return fs.WalkDir(r.root.FS(), filepath.Dir(filepath.ToSlash(checkpoint.Path("", 0))), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // pruned meanwhile
		}
		if err != nil {
			return misplaced(err)
		}
		if !d.IsDir() && !d.Type().IsRegular() {
			return fmt.Errorf("read run: %q in %q is not a regular file: %w", name, r.dir, safeio.ErrCorrupt)
		}
		return nil
	})
}
