package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/hub"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

type options struct {
	stream, out, resume string
	cache, cacheSize    string
	follow              bool
	preset, config      string
	set                 []string
	tokens              int64
	minutes             float64
	threads             int
	recompute           bool
	printConfig, dryRun bool
	profile             bool
	tensorboard         bool
	metricsListen       string
}

// shortcuts are the flags that stand for one setting.
var shortcuts = []struct{ flag, key, help string }{
	{"held-out", "data.held_out", "directory of shards for held-out losses"},
	{"tokenizer", "data.tokenizer", "tokenizer of text on standard input"},
	{"length", "data.length", "tokens a window"},
	{"steps", "run.steps", "training steps"},
	{"batch", "optim.batch", "windows a step"},
	{"precision", "optim.precision", "inputs of matrix products: fp32 or bf16"},
	{"lr", "optim.lr", "peak learning rate"},
	{"objective", "process.objective", "cdcd, continuous diffusion, or ar, the next token"},
	{"warp", "process.warp", "online, paper, or a fixed schedule"},
	{"seed", "run.seed", "seed of everything random"},
}

func newCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "train {--stream DIR | --stream - | --resume RUN}",
		Short: "Teach a text diffusion model from a stream of shards",
		Long: `Train a continuous diffusion model (CDCD) on shards written by prep, or on text
piped in. The embedding table, the denoiser and the time warp are learned
together. The run directory holds everything: configuration, tokenizer, metrics,
the history of the warp, samples and checkpoints.

A run can be stopped at any moment. Interrupted (Ctrl-C), it saves and says how
to continue; killed, it continues from its newest checkpoint, and what it writes
is the same to the byte as if it had never stopped.

Shards belong to a run by their content: if they have moved, name the new place
beside --resume. Shards at an http:// address, or in a directory that is far away,
are read through --cache, which removes what was not wanted for longest. With
--follow a run begins while prep shard is still at work. It takes the shards in
the order of their making, waits where there is none yet, and comes out the same
as if they had all been there; held-out losses then need --held-out.

With --objective ar the same network learns to predict the next token instead,
the baseline of text diffusion. It then has an exact likelihood and no warp. With
process.fim, the share of windows that are rearranged for it, it also learns to
fill holes.

With --tensorboard the curves, histograms and samples of the run also go to event
files in RUN/tensorboard, for tensorboard --logdir RUN; with --metrics-listen the
newest figures can be read by Prometheus, on this machine.

Settings come from a preset (nano: minutes on two cores; nano-ar: its baseline, by
nanoGPT's recipe for a CPU; small: hours; base: the sizes of the paper), then a
TOML file, then flags.

` + cli.ExitHelp,
		Example: `  train --stream shards -o run                       # the nano preset
  train --stream shards -o run --minutes 5 --set model.width=192
  train --stream shards --preset small --dry-run
  train --stream shards --preset nano-ar -o baseline
  train --resume run
  train --resume run --stream /mnt/shards            # where they are now
  train --stream https://host/shards --cache /var/cache/shards --cache-size 50G
  train --resume run --tensorboard --metrics-listen 127.0.0.1:9090
  cat books/*.txt | train --stream - --tokenizer byte -o run`,
		Args:    cobra.NoArgs,
		Version: cli.Version(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.stream == "" && o.resume == "" && o.config == "" {
				return cli.Usagef("give either --stream with shards to begin a run, or --resume with a run to continue")
			}
			saveMemory()
			if o.resume != "" {
				return resume(cmd, o)
			}
			s, err := settings(cmd, o, nil)
			if err != nil {
				return cli.Exit(cli.ExitUsage, err)
			}
			if o.printConfig {
				return s.Write(cmd.OutOrStdout())
			}
			return start(cmd.Context(), cmd.OutOrStdout(), s, o)
		},
	}
	o.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.resume, "resume", "", "run to continue")
	f.Lookup("stream").Usage += "; with --resume: where the shards are now"
	f.Lookup("held-out").Usage += "; with --resume: where they are now"
	f.BoolVar(&o.recompute, "recompute", false, "keep fewer activations and work them out again: less memory, up to a sixth more time, the same result")
	f.BoolVar(&o.printConfig, "print-config", false, "print the resolved settings with their origins, and stop")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "print parameters, memory, work and steps, and stop")
	f.BoolVar(&o.profile, "profile", false, "print where the time of a training step goes, by kernel, and stop")
	f.BoolVar(&o.tensorboard, "tensorboard", false, "write event files for TensorBoard to RUN/tensorboard")
	f.StringVar(&o.metricsListen, "metrics-listen", "", "loopback address for Prometheus, such as 127.0.0.1:9090")
	beginning := []string{"dry-run", "profile", "print-config", "follow", "out", "preset", "config", "set", "tokens", "minutes"}
	for _, s := range shortcuts {
		if s.flag != "held-out" {
			beginning = append(beginning, s.flag)
		}
	}
	for _, flag := range beginning { // of a run that is to begin
		cmd.MarkFlagsMutuallyExclusive("resume", flag)
	}
	cli.FlagRuns(cmd, "resume")
	cmd.AddCommand(newExport(), newImport())
	return cmd
}

// flags registers what begins a run.
func (o *options) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.stream, "stream", "", "directory, or http://, https:// or s3:// address, of shards to learn from; - for text on standard input")
	f.BoolVar(&o.follow, "follow", false, "take up shards while prep shard still makes them (data.follow)")
	f.StringVar(&o.cache, "cache", "", "directory for copies of shards that are far away")
	f.StringVar(&o.cacheSize, "cache-size", "10GB", "most that --cache may hold")
	f.StringVarP(&o.out, "out", "o", "run", "directory of the new run")
	f.StringVar(&o.preset, "preset", "nano", strings.Join(trainer.Presets(), ", "))
	f.StringVar(&o.config, "config", "", "TOML file of settings, for instance another run's config.toml")
	for _, s := range shortcuts {
		f.String(s.flag, "", s.help+" ("+s.key+")")
	}
	f.StringArrayVar(&o.set, "set", nil, "any other setting, as section.key=value")
	f.Int64Var(&o.tokens, "tokens", 0, "train on about so many tokens (sets run.steps)")
	f.Float64Var(&o.minutes, "minutes", 0, "train for about so long: the speed is measured first (sets run.steps)")
	f.IntVar(&o.threads, "threads", 0, "processor cores to use; the result does not depend on it (default: all)")
	cmd.MarkFlagsMutuallyExclusive("steps", "tokens", "minutes")
	cli.FlagDataSets(cmd, "stream", "held-out")
	cli.FlagDirs(cmd, "out", "cache")
	cli.FlagChoices(cmd, "preset", trainer.Presets()...)
	cli.FlagChoices(cmd, "objective", trainer.CDCD, trainer.AR)
	cli.FlagChoices(cmd, "warp", timewarp.Kinds()...)
	cli.FlagChoices(cmd, "precision", "fp32", "bf16")
	cli.FlagAssignments(cmd, "set", trainer.Config{}.All())
}

// settings lays preset, what a source asks for, file and flags over one another.
// The source may be nil.
func settings(cmd *cobra.Command, o options, source *hub.Source) (*trainer.Settings, error) {
	s, err := trainer.NewSettings(o.preset)
	if err != nil {
		return nil, err
	}
	if source != nil {
		if err := source.Adopt(s); err != nil {
			return nil, err
		}
	}
	if o.config != "" {
		if err := s.Load(o.config); err != nil {
			return nil, err
		}
	}
	if o.stream != "" {
		if err := s.Set("data.stream", o.stream, "--stream"); err != nil {
			return nil, err
		}
	}
	if o.follow {
		if err := s.Set("data.follow", "true", "--follow"); err != nil {
			return nil, err
		}
	}
	for _, short := range shortcuts {
		if f := cmd.Flags().Lookup(short.flag); f.Changed {
			if err := s.Set(short.key, f.Value.String(), "--"+short.flag); err != nil {
				return nil, err
			}
		}
	}
	for _, assignment := range o.set {
		key, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return nil, fmt.Errorf("--set %q: want section.key=value", assignment)
		}
		if err := s.Set(strings.TrimSpace(key), strings.TrimSpace(value), "--set"); err != nil {
			return nil, err
		}
	}
	if s.Optim.MicroBatch > s.Optim.Batch {
		if err := s.Set("optim.micro_batch", fmt.Sprint(s.Optim.Batch), "optim.batch"); err != nil {
			return nil, err
		}
	}
	if o.tokens > 0 {
		steps := max(1, o.tokens/int64(s.Optim.Batch*s.Data.Length))
		if err := s.Set("run.steps", fmt.Sprint(steps), "--tokens"); err != nil {
			return nil, err
		}
	}
	return s, s.Validate()
}

func start(ctx context.Context, stdout io.Writer, s *trainer.Settings, o options) error {
	w, err := newWatch(o, o.out)
	if err != nil {
		return err
	}
	defer w.close()
	data, err := openData(ctx, s.Config, o)
	if err != nil {
		return err
	}
	pool := newPool(o.threads, s.Optim.Precision)
	defer pool.Close()
	to := trainer.Options{Pool: pool, Version: cli.Version(), Notify: w.event, Recompute: o.recompute}
	if o.minutes > 0 {
		if err := fit(s, data, to, o.minutes); err != nil {
			return errors.Join(err, data.Train.Close())
		}
	}
	if o.dryRun {
		defer data.Train.Close()
		dryRun(stdout, s.Config, data, to)
		return nil
	}
	if o.profile {
		defer data.Train.Close()
		return profile(stdout, s.Config, data, to)
	}
	t, err := trainer.Start(o.out, s, data, to)
	if err != nil {
		return errors.Join(err, data.Train.Close())
	}
	cli.Tell("training %s from %s: %d steps of %d × %d tokens, %d parameters",
		o.out, s.Data.Stream, s.Run.Steps, s.Optim.Batch, s.Data.Length, t.Parameters())
	w.begin(o, s.Config, t.Step())
	return run(ctx, t, w, s.Config)
}

// saveMemory: weights and activations stay; by default garbage could fill as much
// again before it is collected.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(5)
	}
}

// newPool starts the workers and says so where the precision cannot be had.
func newPool(threads int, precision string) *kernels.Pool {
	pool := kernels.NewPool(threads)
	if precision == "bf16" && !pool.UseBF16() {
		cli.Tell("note: this processor has no AVX512_BF16: training in fp32")
	}
	return pool
}

// openData opens the text of a run where it is to be had on this machine.
func openData(ctx context.Context, c trainer.Config, o options) (*trainer.Data, error) {
	at := trainer.Place{Stdin: os.Stdin}
	if o.cache != "" {
		size, err := cli.ParseSize(o.cacheSize)
		if err != nil {
			return nil, cli.Usagef("--cache-size %q: %w", o.cacheSize, err)
		}
		if at.Cache, err = pipeline.OpenDiskCache(o.cache, size); err != nil {
			return nil, err
		}
	}
	data, err := at.Open(ctx, c)
	if errors.Is(err, pipeline.ErrNoCache) {
		err = cli.Exit(cli.ExitUsage, cli.Hint(err, "give a directory for copies with --cache"))
	}
	return data, err
}

// resume continues a run with the shards where they are now: their place belongs
// to the machine and is not written down, their content is checked.
func resume(cmd *cobra.Command, o options) error {
	ctx := cmd.Context()
	w, err := newWatch(o, o.resume)
	if err != nil {
		return err
	}
	defer w.close()
	c, err := trainer.ReadConfig(o.resume)
	if err != nil {
		return err
	}
	if o.stream != "" {
		c.Data.Stream = o.stream
	}
	if f := cmd.Flags().Lookup("held-out"); f.Changed {
		c.Data.HeldOut = f.Value.String()
	}
	data, err := openData(ctx, c, o)
	if err != nil {
		if o.stream == "" && errors.Is(err, safeio.ErrNotFound) {
			err = cli.Hint(err, fmt.Sprintf("the run was begun with --stream %s; if the shards have moved: train --resume %s --stream DIR", c.Data.Stream, o.resume))
		}
		return err
	}
	pool := newPool(o.threads, c.Optim.Precision)
	defer pool.Close()
	to := trainer.Options{Pool: pool, Version: cli.Version(), Notify: w.event, Recompute: o.recompute}
	t, skipped, err := trainer.Resume(o.resume, c, data, to)
	for _, s := range skipped {
		cli.Tell("warning: %s; falling back to the checkpoint before", s)
	}
	if err != nil {
		return errors.Join(err, data.Train.Close())
	}
	cli.Tell("resuming %s at step %d of %d (%s)", o.resume, t.Step(), c.Run.Steps, t.Position())
	w.begin(o, c, t.Step())
	return run(ctx, t, w, c)
}

// run trains to the end and says what comes next.
func run(ctx context.Context, t *trainer.Trainer, w *watch, c trainer.Config) error {
	err := t.Run(ctx)
	w.close()
	closed := t.Close()
	switch {
	case errors.Is(err, trainer.ErrDiverged):
		return cli.Exit(cli.ExitDiverged, err)
	case err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		cli.Tell("stopped and saved at step %d. Continue with: train --resume %s", t.Step(), w.dir)
		return err
	case err != nil:
		return err
	}
	view := "warp"
	if c.Process.Objective == trainer.AR {
		view = "run"
	}
	cli.Tell("done: %d steps in %s. See: inspect %s %s, or: sample %s", t.Step(), w.dir, view, w.dir, w.dir)
	return closed
}
