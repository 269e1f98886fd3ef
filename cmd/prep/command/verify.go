package command

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

func newVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check every hash and count of a data set",
		Long: `Read a whole data set and check it: the hash and size of every shard and of
tokenizer.json, the counts in the manifest, and that every document's id is that
of its text.

` + cli.ExitHelp,
		Example: `  prep verify shards
  prep verify shards --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.DataSets(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := pipeline.Open(args[0])
			if err != nil {
				return err
			}
			total := d.Manifest().Totals("")
			bar := cli.NewBar(os.Stderr, "verifying", total.Bytes, "B")
			err = d.Verify(cmd.Context(), func(done, _ int64) { bar.Set(done, "") })
			bar.Done()
			if err != nil {
				return cli.Hint(err, fmt.Sprintf("prep repair %s CORPUS... makes damaged shards anew", args[0]))
			}
			if asJSON {
				return cli.WriteJSON(cmd.OutOrStdout(), struct {
					Hash string `json:"hash"`
					pipeline.Totals
				}{d.Manifest().Hash(), total})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: %s, %d documents, %d tokens, %s\n", countOf(total.Shards, "shard"), total.Documents, total.Tokens, bytesOf(total.Bytes))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the totals as JSON")
	return cmd
}
