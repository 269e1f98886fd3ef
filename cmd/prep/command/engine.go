package command

import (
	"flag"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// localEngine is this process, which needs no [Engine].
const localEngine = "local"

// Engine is a choice of --engine.
type Engine struct {
	Name string
	// Flags are the engine's own. prep shard takes them too, but leaves them out
	// of its help: they are many.
	Flags *flag.FlagSet
	Make  pipeline.Engine
}

// engineNames lists what --engine may be.
func engineNames(engines []Engine) string {
	names := []string{localEngine}
	for _, e := range engines {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
}

// addEngineFlags makes the flags of engines flags of a command, except those
// whose names it has itself.
func addEngineFlags(cmd *cobra.Command, engines []Engine) {
	own := cmd.Flags()
	for _, e := range engines {
		e.Flags.VisitAll(func(f *flag.Flag) {
			if own.Lookup(f.Name) == nil {
				own.AddGoFlag(f)
				own.Lookup(f.Name).Hidden = true
			}
		})
	}
}

// chooseEngine returns the engine of that name, nil for this process.
func chooseEngine(engines []Engine, name string) (pipeline.Engine, error) {
	if name == localEngine {
		return nil, nil
	}
	for _, e := range engines {
		if e.Name == name {
			return e.Make, nil
		}
	}
	err := cli.Usagef("--engine %q: this program has only %s", name, engineNames(engines))
	return nil, cli.Hint(err, "others are built from the directories of engine/, see docs/distributed.md")
}
