package cli

import (
	"cmp"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// What a directory holds that is a run, or a data set.
const (
	ofRun     = "config.toml"
	ofDataSet = "manifest.json"
)

// Runs completes arguments that are run directories: a shell then offers these,
// and other directories on the way to them with a slash at the end. Beyond most
// arguments there are none; 0 is no limit.
func Runs(most int) cobra.CompletionFunc { return arguments(ofRun, most) }

// DataSets is Runs for directories of shards.
func DataSets(most int) cobra.CompletionFunc { return arguments(ofDataSet, most) }

func arguments(holding string, most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return dirs(holding, typed)
	}
}

// dirs are the directories that a path may become.
func dirs(holding, typed string) (found []cobra.Completion, how cobra.ShellCompDirective) {
	how = cobra.ShellCompDirectiveNoFileComp
	parent, begun := filepath.Split(typed)
	entries, err := os.ReadDir(cmp.Or(parent, "."))
	if err != nil {
		return nil, how
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, begun) || begun == "" && name[0] == '.' {
			continue
		}
		path := parent + name
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(path, holding)); err == nil {
			found = append(found, path)
			continue
		}
		found = append(found, path+string(filepath.Separator))
		how |= cobra.ShellCompDirectiveNoSpace
	}
	if len(found) == 0 { // of a path that the shell alone understands, such as ~/r, say
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return found, how
}

// FlagRuns completes flags whose value is a run.
func FlagRuns(cmd *cobra.Command, flags ...string) { register(cmd, Runs(0), flags...) }

// FlagDataSets completes flags whose value is a directory of shards.
func FlagDataSets(cmd *cobra.Command, flags ...string) { register(cmd, DataSets(0), flags...) }

// FlagDirs completes flags whose value is any directory.
func FlagDirs(cmd *cobra.Command, flags ...string) {
	register(cmd, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}, flags...)
}

// FlagChoices completes a flag that has one of a few values.
func FlagChoices(cmd *cobra.Command, flag string, values ...string) {
	register(cmd, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp), flag)
}

// FlagAssignments completes the key of a flag key=value.
func FlagAssignments(cmd *cobra.Command, flag string, settings iter.Seq2[string, any]) {
	register(cmd, func(*cobra.Command, []string, string) (found []cobra.Completion, how cobra.ShellCompDirective) {
		for key := range settings {
			found = append(found, key+"=")
		}
		return found, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}, flag)
}

// register panics where a flag is not there, which is a mistake in the program.
func register(cmd *cobra.Command, f cobra.CompletionFunc, flags ...string) {
	for _, flag := range flags {
		if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
			panic(err)
		}
	}
}
