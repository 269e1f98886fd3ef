package command

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/pipeline"
)

type catOptions struct {
	split  string
	first  int
	json   bool
	tokens bool
}

func newCatCommand() *cobra.Command {
	var o catOptions
	cmd := &cobra.Command{
		Use:   "cat DIR",
		Short: "Print the documents of a data set",
		Long: `Print the documents of a data set: their texts, each with a line end behind it
and an empty line between them, or, with --json, an object a line.

` + cli.ExitHelp,
		Example: `  prep cat shards -n 3
  prep cat shards --split val --json --tokens > val.jsonl`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cli.DataSets(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.split != "" && !slices.Contains(pipeline.Splits(), o.split) {
				return cli.Usagef("--split %q: not train, val or test", o.split)
			}
			return runCat(cmd.OutOrStdout(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.split, "split", "", "only the documents of train, val or test")
	f.IntVarP(&o.first, "n", "n", 0, "only the first N documents")
	f.BoolVar(&o.json, "json", false, "an object a line: doc_id, source, offset, split, text")
	f.BoolVar(&o.tokens, "tokens", false, "with --json: the token ids too")
	cli.FlagChoices(cmd, "split", "train", "val", "test")
	return cmd
}

// catDoc is a line of prep cat --json.
type catDoc struct {
	ID     string  `json:"doc_id"`
	Source string  `json:"source"`
	Offset int64   `json:"offset"`
	Split  string  `json:"split"`
	Text   string  `json:"text"`
	Tokens []int32 `json:"tokens,omitempty"`
}

func runCat(to io.Writer, dir string, o catOptions) error {
	d, err := pipeline.Open(dir)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(to, 64<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	file, ok := to.(*os.File)
	safe := ok && cli.IsTerminal(file)
	n := 0
	for doc, err := range d.Docs(o.split) {
		if err != nil {
			out.Flush()
			return err
		}
		if o.json {
			line := catDoc{doc.ID, doc.Source, doc.Offset, doc.Split, doc.Text, nil}
			if o.tokens {
				line.Tokens = doc.Tokens
			}
			err = enc.Encode(line)
		} else {
			err = printText(out, doc.Text, n > 0, safe)
		}
		if err != nil {
			return err
		}
		if n++; n == o.first {
			break
		}
	}
	return out.Flush()
}

// printText prints a document; on a terminal, so that it cannot control it.
func printText(out *bufio.Writer, text string, follows, safe bool) error {
	if follows {
		out.WriteByte('\n')
	}
	if safe {
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			lines[i] = cli.Printable(line)
		}
		text = strings.Join(lines, "\n")
	}
	_, err := out.WriteString(text)
	if !strings.HasSuffix(text, "\n") {
		err = out.WriteByte('\n')
	}
	return err
}
