package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/hub"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

func newExport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export RUN",
		Short: "Write a run as a model folder for PyTorch and transformers",
		Long: `Write the averaged weights of a run's newest whole checkpoint as a folder that
transformers loads with AutoModel.from_pretrained(FOLDER, trust_remote_code=True):
weights, configuration with the learned warp, tokenizer, a short model in PyTorch,
and a model card with the figures that the run recorded. The run may still be
training. A model folder that is there already is replaced, nothing else is.

` + cli.ExitHelp,
		Example: `  train export run                    # writes run-hf
  train export run -o models/shakespeare`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.Runs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			run := filepath.Clean(args[0])
			if base := filepath.Base(run); base == "." || base == ".." {
				var err error
				if run, err = filepath.Abs(run); err != nil {
					return err
				}
			}
			if out == "" {
				out = run + "-hf"
			}
			pool := kernels.NewPool(1)
			defer pool.Close()
			m, err := hub.Export(cmd.Context(), safeio.FS{}, run, out, pool)
			if err != nil {
				return err
			}
			for _, s := range m.Skipped {
				cli.Tell("warning: %s; falling back to step %d", s, m.Step)
			}
			cli.Tell("wrote %s: step %d, %d parameters", out, m.Step, len(m.Model.Params))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "directory of the folder (default: RUN-hf)")
	cli.FlagDirs(cmd, "out")
	return cmd
}
