package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// writer writes one text at a time, with the model that was asked for last.
type writer struct {
	turn chan struct{} // has room for one: who is writing
	pool *kernels.Pool

	run   *run
	saved inspect.Saved
	model *trainer.Trained
}

const (
	// patience is how long a request waits for the text before it: one whose request
	// was closed ends with its step.
	patience = 10 * time.Second
	// writeTime bounds the writing of one text.
	writeTime = 10 * time.Minute
)

// errBusy says that another text is being written.
var errBusy = errors.New("another text is being written: try again when it is done")

func (w *writer) take(ctx context.Context) error {
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-wait.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) give() { <-w.turn }

func (w *writer) close() {
	if w.pool != nil {
		w.pool.Close()
	}
}

// load reads the newest checkpoint of a run, unless it is the one at hand.
func (w *writer) load(run *run) (*trainer.Trained, error) {
	saved, err := run.Checkpoint()
	if err != nil {
		return nil, err
	}
	if w.run == run && w.saved == saved {
		return w.model, nil
	}
	if w.pool == nil {
		w.pool = kernels.NewPool(0)
	}
	w.run, w.model = nil, nil
	model, err := trainer.Load(run.Dir(), w.pool)
	if err != nil {
		return nil, err
	}
	w.run, w.saved, w.model = run, saved, model
	return model, nil
}

// ended is the last line of an answer.
type ended struct {
	Done  bool   `json:"done"`
	Text  string `json:"text"`
	Calls int    `json:"calls"`
}

// postWrite writes a text as the request asks and answers with a frame a line
// while it sharpens.
func (s *Server) postWrite(w http.ResponseWriter, r *http.Request) {
	ask, err := readAsked(w, r)
	var run *run
	if err == nil {
		run, err = s.run(r)
	}
	if err == nil {
		err = s.writer.take(r.Context())
	}
	if err != nil {
		fail(w, err)
		return
	}
	defer s.writer.give()
	ctx, cancel := context.WithTimeout(r.Context(), writeTime)
	defer cancel()
	out := &lines{w: w, control: http.NewResponseController(w), cancel: cancel}
	defer out.control.SetWriteDeadline(time.Time{}) // of the connection, which may be used again
	text, err := s.writer.write(ctx, run, ask, out)
	switch {
	case err != nil && !out.begun:
		fail(w, err)
	case err != nil:
		out.write(map[string]string{"error": err.Error()})
	default:
		out.write(ended{true, text.Text, text.Calls})
	}
}

// readAsked reads what is asked for. That it must be JSON keeps the forms of
// foreign pages out.
func readAsked(w http.ResponseWriter, r *http.Request) (asked, error) {
	var a asked
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != typeJSON {
		return a, fmt.Errorf("the content type is to be %s: %w", typeJSON, errBad)
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostAsked))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, fmt.Errorf("%w: %w", err, errBad)
	}
	return a, nil
}

// lines writes an answer of several lines of JSON.
type lines struct {
	w       http.ResponseWriter
	control *http.ResponseController
	cancel  func() // ends the work for which nobody waits any more
	begun   bool
}

func (l *lines) write(v any) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", "application/x-ndjson")
	}
	l.control.SetWriteDeadline(time.Now().Add(readTime))
	b, err := json.Marshal(v)
	if err == nil {
		_, err = l.w.Write(append(b, '\n'))
	}
	if err == nil {
		err = l.control.Flush()
	}
	if err != nil {
		l.cancel()
	}
}

// write loads the model and fills in what is asked for.
func (w *writer) write(ctx context.Context, run *run, ask asked, out *lines) (generate.Text, error) {
	model, err := w.load(run)
	if err != nil {
		return generate.Text{}, err
	}
	if err := ask.check(model.Config.Data.Length); err != nil {
		return generate.Text{}, err
	}
	canvas, err := ask.canvas(model)
	if err != nil {
		return generate.Text{}, fmt.Errorf("%w: %w", err, errBad)
	}
	by, err := ask.writer(model, canvas, out)
	if err != nil {
		return generate.Text{}, fmt.Errorf("%w: %w", err, errBad)
	}
	texts, err := generate.Collect(ctx, by, canvas, 0, 1)
	if err != nil {
		return generate.Text{}, err
	}
	return texts[0], nil
}

// canvas lays out what is given.
func (a asked) canvas(model *trainer.Trained) (generate.Canvas, error) {
	switch a.Mode {
	case "free":
		return generate.Blank(a.Length), nil
	case "prompt":
		return generate.Prompt(model.Tokenizer, a.Text, a.Length)
	case "infill":
		layouts, err := generate.Infill(model.Tokenizer, a.Text)
		if err != nil {
			return generate.Canvas{}, err
		}
		// Of holes of variable length the middle one: candidates are the command's.
		c := layouts[len(layouts)/2]
		if len(c.IDs) > mostTokens {
			return c, fmt.Errorf("the text has %d tokens, want at most %d", len(c.IDs), mostTokens)
		}
		return c, nil
	}
	return generate.Canvas{}, fmt.Errorf("mode is free, prompt or infill, not %q", a.Mode)
}

// writer is one of the model's kind whose frames go out.
func (a asked) writer(model *trainer.Trained, canvas generate.Canvas, out *lines) (generate.Writer, error) {
	given := make([]bool, len(canvas.Noisy))
	for i, noisy := range canvas.Noisy {
		given[i] = !noisy
	}
	if model.Config.Process.Objective == trainer.AR {
		by, err := generate.NewAutoregressive(model, autoregressive.Sampler{Temperature: a.Temperature, TopP: 1, Seed: a.Seed})
		if err == nil {
			err = by.Check(canvas)
		}
		return lastFrame{by, model, out}, err
	}
	by, err := generate.NewDiffusion(model, diffusion.Sampler{
		Steps: a.Steps, Method: diffusion.Euler, Temperature: a.Temperature, Exact: true, Guidance: a.Guidance, InitialNoise: 1, Seed: a.Seed,
	})
	if err != nil {
		return nil, err
	}
	every := max(1, a.Steps/mostFrames)
	by.Observe = func(m generate.Moment) {
		if m.Step%every != 0 && m.Step != m.Steps {
			return
		}
		ids, prob := m.Tokens()
		f := frame{Step: m.Step, Steps: m.Steps, T: finite(m.T), U: finite(m.U), Tokens: pieces(model.Tokenizer, ids), Given: given}
		for _, p := range prob {
			f.P = append(f.P, float64(p))
		}
		out.write(f)
	}
	return by, nil
}

// lastFrame shows the text of a writer that has no moments on the way.
type lastFrame struct {
	*generate.Autoregressive
	model *trainer.Trained
	out   *lines
}

// Write implements [generate.Writer].
func (l lastFrame) Write(ctx context.Context, c generate.Canvas, first, n int, each func(generate.Text) error) error {
	return l.Autoregressive.Write(ctx, c, first, n, func(t generate.Text) error {
		f := frame{Step: t.Calls, Steps: t.Calls, Tokens: pieces(l.model.Tokenizer, t.IDs)}
		for i, p := range t.Prob {
			f.P, f.Given = append(f.P, float64(p)), append(f.Given, !t.Canvas.Noisy[i])
		}
		l.out.write(f)
		return each(t)
	})
}
