package page

import (
	"net/http"

	"github.com/seed-4c77ef92/textwarp/trainer"
)

// Bounds of what is answered.
const (
	mostPoints      = 4000
	mostEvaluations = 200
)

type runsAnswer struct {
	Schema  int         `json:"schema"`
	Version string      `json:"version"`
	Runs    []runAnswer `json:"runs"`
	Shards  bool        `json:"shards"`
}

type runAnswer struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Path       string `json:"path"`
	Objective  string `json:"objective"`
	State      string `json:"state"`
	Step       int    `json:"step"`
	Steps      int    `json:"steps"`
	Tokens     int    `json:"tokens"`
	Length     int    `json:"length"`
	Vocab      int    `json:"vocab"`
	Dim        int    `json:"dim"`
	Parameters int    `json:"parameters"`
	Tokenizer  string `json:"tokenizer"`
	Problem    string `json:"problem"`
}

func (s *Server) getRuns(r *http.Request) (runsAnswer, error) {
	a := runsAnswer{Schema: 1, Version: s.version, Runs: []runAnswer{}, Shards: s.shards != nil}
	for _, run := range s.runs {
		select {
		case <-run.read:
		case <-r.Context().Done():
			return a, r.Context().Err()
		}
		m := run.Summary()
		a.Runs = append(a.Runs, runAnswer{
			run.id, run.name, run.Dir(), m.Objective, m.State, m.Step, m.Steps, m.Tokens, m.Length, m.Vocab, m.Dim, m.Parameters, m.Tokenizer, m.Problem,
		})
	}
	return a, nil
}

type curvesAnswer struct {
	Step        int            `json:"step"`
	Training    trainingAnswer `json:"training"`
	Speed       speedAnswer    `json:"speed"`
	Evaluations heldOutAnswer  `json:"evaluations"`
}

type trainingAnswer struct {
	Step     []int  `json:"step"`
	Tokens   []int  `json:"tokens"`
	Loss     column `json:"loss"`
	LossMin  column `json:"loss_min"`
	LossMax  column `json:"loss_max"`
	GradNorm column `json:"grad_norm"`
	LR       column `json:"lr"`
	Skipped  []int  `json:"skipped"`
}

type speedAnswer struct {
	Step            []int  `json:"step"`
	TokensPerSecond column `json:"tokens_per_second"`
	GFLOPS          column `json:"gflops"`
	Seconds         column `json:"seconds"`
}

// heldOutAnswer has losses by noise level or, of a run that predicts the next
// token, likelihoods.
type heldOutAnswer struct {
	Step       []int    `json:"step"`
	T          column   `json:"t,omitempty"`
	CE         []column `json:"ce,omitempty"`
	SE         []column `json:"se,omitempty"`
	Nats       column   `json:"nats,omitempty"`
	StdErr     column   `json:"std_err,omitempty"`
	AfterFirst column   `json:"after_first,omitempty"`
}

func (s *Server) getCurves(r *http.Request) (curvesAnswer, error) {
	run, err := s.run(r)
	if err != nil {
		return curvesAnswer{}, err
	}
	n, err := number(r, "points", 1, mostPoints, 1000)
	if err != nil {
		return curvesAnswer{}, err
	}
	a := curvesAnswer{
		Step:     run.Summary().Step,
		Training: trainingAnswer{Step: []int{}, Tokens: []int{}, Skipped: []int{}},
		Speed:    speedAnswer{Step: []int{}}, Evaluations: heldOutAnswer{Step: []int{}},
	}
	for _, p := range run.Training(n) {
		low, high := p.LossRange()
		t := &a.Training
		t.Step, t.Tokens, t.Skipped = append(t.Step, p.Step), append(t.Tokens, p.Tokens), append(t.Skipped, p.Skipped)
		t.Loss, t.LossMin, t.LossMax = append(t.Loss, p.Loss), append(t.LossMin, low), append(t.LossMax, high)
		t.GradNorm, t.LR = append(t.GradNorm, p.GradNorm), append(t.LR, p.LR)
	}
	for _, p := range run.Speed(n) {
		v := &a.Speed
		v.Step, v.TokensPerSecond = append(v.Step, p.Step), append(v.TokensPerSecond, p.TokensPerSecond)
		v.GFLOPS, v.Seconds = append(v.GFLOPS, p.GFLOPS), append(v.Seconds, p.Seconds)
	}
	a.Evaluations.fill(run.Evaluations(mostEvaluations))
	return a, nil
}

// fill takes the evaluations that have the noise levels of the newest.
func (a *heldOutAnswer) fill(lines []trainer.MetricsLine) {
	if len(lines) == 0 {
		return
	}
	levels := lines[len(lines)-1].Eval.T
	a.T = levels
	for _, m := range lines {
		e := m.Eval
		if l := e.Likelihood; l != nil {
			a.Step, a.Nats = append(a.Step, m.Step), append(a.Nats, l.Nats)
			a.StdErr, a.AfterFirst = append(a.StdErr, l.StdErr), append(a.AfterFirst, l.AfterFirst)
			continue
		}
		if len(e.T) == len(levels) {
			a.Step, a.CE, a.SE = append(a.Step, m.Step), append(a.CE, e.CE), append(a.SE, e.SE)
		}
	}
}

type evaluationsAnswer struct {
	Evaluations []evaluationAnswer `json:"evaluations"`
}

type evaluationAnswer struct {
	Step    int           `json:"step"`
	T       column        `json:"t"`
	CE      column        `json:"ce"`
	SE      column        `json:"se"`
	Classes []classAnswer `json:"classes,omitempty"`
}

type classAnswer struct {
	Name   string `json:"name"`
	Group  string `json:"group"`
	Tokens int    `json:"tokens"`
	CE     column `json:"ce"`
	SE     column `json:"se"`
}

func (s *Server) getEvaluations(r *http.Request) (evaluationsAnswer, error) {
	a := evaluationsAnswer{Evaluations: []evaluationAnswer{}}
	run, err := s.run(r)
	if err != nil {
		return a, err
	}
	for _, m := range run.Evaluations(mostEvaluations) {
		e := evaluationAnswer{Step: m.Step, T: m.Eval.T, CE: m.Eval.CE, SE: m.Eval.SE}
		for _, c := range m.Eval.Classes {
			e.Classes = append(e.Classes, classAnswer{c.Name, c.Group, c.Tokens, c.CE, c.SE})
		}
		a.Evaluations = append(a.Evaluations, e)
	}
	return a, nil
}
