package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/cmd/internal/view"
	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// runView is `inspect run`.
type runView struct {
	Schema int    `json:"schema"`
	View   string `json:"view"`
	Run    string `json:"run"`
	Step   int    `json:"step"`
	Tokens int    `json:"tokens"`

	Training    []trainer.MetricsLine `json:"training"`
	Evaluations []trainer.MetricsLine `json:"evaluations"`
	Timing      []trainer.TimingLine  `json:"timing"`
	Sample      *trainer.SampleLine   `json:"sample"` // the newest

	predicts bool // the next token: the losses know no noise
}

func newRunCommand() *cobra.Command {
	var o view.Output
	cmd := &cobra.Command{
		Use:   "run RUN",
		Short: "The curves of a run: losses, gradient norm, rate, speed",
		Long: `Show the curves of a run: training loss, held-out loss by noise level, gradient
norm, learning rate and speed, and the newest text that it wrote.

The training loss is taken at the noise levels that the warp chooses, and these
change as the warp learns: it can rise while the model improves. The held-out
losses stand at fixed noise levels and compare over time and between runs. Of a
run that predicts the next token both are likelihoods.

` + cli.ExitHelp,
		Example: `  inspect run run
  inspect run run --svg figures/        # a file for each figure
  inspect run run --json > run.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := readRun(args[0])
			if err != nil {
				return err
			}
			return o.Show(cmd.OutOrStdout(), v)
		},
	}
	o.AddFlags(cmd)
	return cmd
}

// readRun reads the logs of a run; only metrics.jsonl has to be there.
func readRun(run string) (*runView, error) {
	v := &runView{Schema: 1, View: "run", Run: run, Training: []trainer.MetricsLine{}, Evaluations: []trainer.MetricsLine{}, predicts: predicts(run)}
	metrics, err := readLog[trainer.MetricsLine](run, trainer.MetricsFile)
	if err != nil {
		return nil, err
	}
	if len(metrics) == 0 {
		return nil, fmt.Errorf("%s of %q is empty: the run has not logged a step: %w", trainer.MetricsFile, run, safeio.ErrNotFound)
	}
	for i, m := range metrics {
		if i > 0 && m.Step < v.Step {
			return nil, corrupt(run, trainer.MetricsFile, m.Step, "it comes after step %d", v.Step)
		}
		v.Step, v.Tokens = m.Step, max(v.Tokens, m.Tokens)
		if e := m.Eval; e != nil {
			if v.predicts != (e.Likelihood != nil) {
				return nil, corrupt(run, trainer.MetricsFile, m.Step, "the evaluation is not of the objective in %s", trainer.ConfigFile)
			}
			if len(e.CE) != len(e.T) || len(e.SE) != len(e.T) {
				return nil, corrupt(run, trainer.MetricsFile, m.Step, "the evaluation has %d noise levels, %d losses and %d errors", len(e.T), len(e.CE), len(e.SE))
			}
			v.Evaluations = append(v.Evaluations, m)
			continue
		}
		v.Training = append(v.Training, m)
	}
	if v.Timing, err = optionalLog[trainer.TimingLine](run, trainer.TimingFile); err != nil {
		return nil, err
	}
	v.Timing = lastPass(v.Timing)
	samples, err := optionalLog[trainer.SampleLine](run, trainer.SamplesFile)
	if err != nil {
		return nil, err
	}
	if n := len(samples); n > 0 {
		v.Sample = &samples[n-1]
	}
	return v, nil
}

// optionalLog is readLog for a log that need not be there.
func optionalLog[T any](run, name string) ([]T, error) {
	lines, err := readLog[T](run, name)
	if errors.Is(err, safeio.ErrNotFound) {
		return []T{}, nil
	}
	return lines, err
}

// lastPass leaves out the lines of steps that were taken again after a crash:
// timing.jsonl, unlike the other logs, keeps them.
func lastPass(lines []trainer.TimingLine) []trainer.TimingLine {
	out := lines[:0]
	for _, l := range lines {
		for len(out) > 0 && out[len(out)-1].Step >= l.Step {
			out = out[:len(out)-1]
		}
		out = append(out, l)
	}
	return out
}

func (v *runView) Write(p *view.Printer) {
	p.Printf("%s: step %d, %d tokens\n\n", cli.Printable(v.Run), v.Step, v.Tokens)
	for _, f := range v.Figures() {
		if f.Name == "loss" || f.Name == "held-out" || f.Name == "speed" {
			p.Chart(f)
		}
	}
	if n := len(v.Training); n > 0 {
		m := v.Training[n-1]
		p.Printf("training at step %d: loss %.4f, gradient norm %.3g, learning rate %.3g, %d steps skipped\n", m.Step, m.Loss, m.GradNorm, m.LR, m.Skipped)
	}
	if n := len(v.Timing); n > 0 {
		t := v.Timing[n-1]
		p.Printf("speed at step %d: %.0f tokens/s, %.1f GFLOP/s\n", t.Step, t.TokensPerSecond, t.GFLOPS)
	}
	if n := len(v.Evaluations); n > 0 {
		writeEvaluation(p, v.Evaluations[n-1])
	}
	if s := v.Sample; s != nil {
		p.Printf("\nwritten at step %d (%d steps, temperature %g)\n  %s\n", s.Step, s.Steps, s.Temperature, cli.Printable(s.Text))
	}
}

func writeEvaluation(p *view.Printer, m trainer.MetricsLine) {
	e := m.Eval
	if l := e.Likelihood; l != nil {
		p.Printf("\nheld-out loss at step %d, nats a token (%d windows): %.4f, standard error %.4f\n", m.Step, e.Windows, l.Nats, l.StdErr)
		p.Printf("without the first token of each window: %.4f, standard error %.4f\n", l.AfterFirst, l.AfterFirstStdErr)
		return
	}
	p.Printf("\nheld-out loss at step %d, nats a token (mask %s, %d windows)\n       t    loss  std err\n", m.Step, cli.Printable(e.Mask), e.Windows)
	for i, t := range e.T {
		p.Printf("%8.3g  %6.3f  %7.3f\n", t, e.CE[i], e.SE[i])
	}
}
