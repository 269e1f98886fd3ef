package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

func newTokenizerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tokenizer",
		Short: "Train a tokenizer, or try one out",
		Long: `Train a tokenizer, or try one out. Tokenizers are tokenizer.json files, the
format of Hugging Face tokenizers, which reads what is made here; of its own files
BPE, WordPiece, Unigram and WordLevel are read.`,
		Example: `  prep tokenizer train corpus/ -o tokenizer.json --vocab 16384
  echo 'To be, or not to be' | prep tokenizer encode tokenizer.json --tokens`,
	}
	cmd.AddCommand(newTokenizerTrainCommand(), newTokenizerEncodeCommand(), newTokenizerDecodeCommand())
	return cmd
}

func newTokenizerTrainCommand() *cobra.Command {
	var o shardOptions
	var kind string
	var vocab int
	cmd := &cobra.Command{
		Use:   "train CORPUS... -o FILE",
		Short: "Make a tokenizer.json from text",
		Long: `Make a tokenizer.json from text files and directories, as prep shard reads them.

  bpe        byte pairs merged by frequency: the <eos> token, the 256 bytes, merges
  wordpiece  characters merged by frequency within words, as BERT has them; cased
  unigram    the pieces of words that make the corpus likeliest, as SentencePiece
  char       a token for each character of the corpus, <unk> for all others
  byte       a token for each byte; needs no corpus

The corpus may be larger than memory. Words that are counted go to a temporary file
(TMPDIR) when there are too many; of more than 16 MiB of different words, the most
frequent are learnt from. The same corpus gives the same file. Its kind, number of tokens and SHA-256 go to
standard output.

` + cli.ExitHelp,
		Example: `  prep tokenizer train corpus/ -o tokenizer.json --vocab 16384
  prep tokenizer train names.txt -o chars.json --kind char`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case sizedTrainers[kind] != nil:
				o.tokenizer = fmt.Sprintf("train:%s:%d", kind, vocab)
			case kind == tokenize.KindChar || kind == tokenize.KindByte:
				o.tokenizer = kind
				if cmd.Flags().Changed("vocab") {
					return cli.Usagef("--vocab is not for --kind %s, which has as many tokens as it needs", kind)
				}
			default:
				return cli.Usagef("--kind %q: not bpe, wordpiece, unigram, char or byte", kind)
			}
			if len(args) == 0 && kind != tokenize.KindByte {
				return cli.Usagef("a %s tokenizer needs a corpus to train on", kind)
			}
			o.Sources, o.Stdin = args, cmd.InOrStdin()
			return trainTokenizer(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), o, vocab)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.Out, "out", "o", "", "file to write")
	f.StringVar(&kind, "kind", tokenize.KindBPE, "bpe, wordpiece, unigram, char or byte")
	f.IntVar(&vocab, "vocab", 8192, "tokens of a bpe, wordpiece or unigram tokenizer")
	f.StringVar(&o.TextField, "text-field", "text", "member of a .jsonl line or column of a table that holds the text")
	cli.FlagChoices(cmd, "kind", tokenize.KindBPE, tokenize.KindWordPiece, tokenize.KindUnigram, tokenize.KindChar, tokenize.KindByte)
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

func trainTokenizer(ctx context.Context, out, warn io.Writer, o shardOptions, vocab int) error {
	tok, err := makeTokenizer(ctx, o)
	if err != nil {
		return err
	}
	err = safeio.FS{}.WriteFile(o.Out, func(w io.Writer) error {
		_, err := w.Write(tok.JSON())
		return err
	})
	if err != nil {
		return err
	}
	if strings.HasPrefix(o.tokenizer, "train:") && tok.VocabSize() < vocab {
		fmt.Fprintf(warn, "note: nothing more is left that occurs twice, so there are fewer than %d tokens\n", vocab)
	}
	_, err = fmt.Fprintf(out, "%s\t%d\t%s\n", tok.Kind(), tok.VocabSize(), tok.Hash())
	return err
}

func newTokenizerEncodeCommand() *cobra.Command {
	var tokens, special bool
	cmd := &cobra.Command{
		Use:   "encode TOKENIZER [FILE]",
		Short: "Print the token ids of text",
		Long: `Print the token ids of a file, or of standard input, on one line; with --tokens,
a line for each token with its id and what it stands for. The text of a special
token is text like any other, as prep shard has it; with --special it is the token.

` + cli.ExitHelp,
		Example: `  echo 'To be, or not to be' | prep tokenizer encode tokenizer.json --tokens`,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			tok, err := loadTokenizer(args[0])
			if err != nil {
				return err
			}
			text, err := readInput(cmd, args[1:])
			if err != nil {
				return err
			}
			if special {
				tok = tok.WithSpecial()
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			printIDs(out, tok, tok.Encode(nil, text), tokens)
			return out.Flush()
		},
	}
	cmd.Flags().BoolVar(&tokens, "tokens", false, "a line for each token: its id and what it stands for, quoted")
	cmd.Flags().BoolVar(&special, "special", false, "take the text of a special token for the token")
	return cmd
}

// printIDs leaves the first error to the writer, which keeps it for Flush.
func printIDs(out *bufio.Writer, tok *tokenize.Tokenizer, ids []int32, tokens bool) {
	if tokens {
		for _, id := range ids {
			fmt.Fprintf(out, "%d\t\"%s\"\n", id, cli.Printable(tok.Token(id)))
		}
		return
	}
	for i, id := range ids {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(strconv.Itoa(int(id)))
	}
	out.WriteByte('\n')
}

func newTokenizerDecodeCommand() *cobra.Command {
	var special bool
	cmd := &cobra.Command{
		Use:   "decode TOKENIZER [FILE]",
		Short: "Print the text of token ids",
		Long: `Print the text that token ids stand for. The ids are numbers with white space
between them, in a file or on standard input. Special tokens stand for no text, or,
with --special, for their own.

` + cli.ExitHelp,
		Example: `  prep tokenizer encode tokenizer.json book.txt | prep tokenizer decode tokenizer.json`,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			tok, err := loadTokenizer(args[0])
			if err != nil {
				return err
			}
			numbers, err := readInput(cmd, args[1:])
			if err != nil {
				return err
			}
			ids, err := parseIDs(numbers, tok.VocabSize())
			if err != nil {
				return err
			}
			if special {
				tok = tok.WithSpecial()
			}
			text := string(tok.Decode(nil, ids))
			to := cmd.OutOrStdout()
			if file, ok := to.(*os.File); ok && cli.IsTerminal(file) {
				out := bufio.NewWriter(to)
				if err := printText(out, text, false, true); err != nil {
					return err
				}
				return out.Flush()
			}
			_, err = io.WriteString(to, text)
			return err
		},
	}
	cmd.Flags().BoolVar(&special, "special", false, "print the text of special tokens")
	return cmd
}

// parseIDs reads token ids of a vocabulary of the given size.
func parseIDs(numbers string, size int) ([]int32, error) {
	var ids []int32
	for field := range strings.FieldsSeq(numbers) {
		id, err := strconv.ParseInt(field, 10, 32)
		if err != nil || id < 0 || id >= int64(size) {
			return nil, fmt.Errorf("decode token %d: %q is not an id from 0 to %d", len(ids)+1, field, size-1)
		}
		ids = append(ids, int32(id))
	}
	return ids, nil
}

// loadTokenizer is tokenize.Load with an exit code for files that cannot be used.
func loadTokenizer(path string) (*tokenize.Tokenizer, error) {
	tok, err := tokenize.Load(path)
	if errors.Is(err, tokenize.ErrFormat) {
		return nil, cli.Exit(cli.ExitCorrupt, err)
	}
	return tok, err
}

// readInput returns the content of the file that rest names, or of standard input.
func readInput(cmd *cobra.Command, rest []string) (string, error) {
	if len(rest) == 1 {
		data, err := os.ReadFile(rest[0])
		if err != nil {
			return "", fmt.Errorf("read input: %w", err)
		}
		return string(data), nil
	}
	data, err := io.ReadAll(cmd.InOrStdin())
	if err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return string(data), nil
}
