package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// prepTokenizer runs `prep tokenizer args...` with the given standard input.
func prepTokenizer(t *testing.T, input string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := newTokenizerCommand()
	var out, errs bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(input))
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

func TestTokenizerRoundTrip(t *testing.T) {
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus.txt")
	text := strings.Repeat("the cat and the hat\n", 20)
	if err := os.WriteFile(corpus, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for kind, args := range map[string][]string{
		"bpe":  {corpus, "--vocab", "262"},
		"char": {corpus, "--kind", "char"},
		"byte": {"--kind", "byte"},
	} {
		t.Run(kind, func(t *testing.T) {
			file := filepath.Join(dir, kind+".json")
			out, _, err := prepTokenizer(t, "", append([]string{"train", "-o", file}, args...)...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(out, kind+"\t") {
				t.Errorf("train prints %q, which does not begin with the kind", out)
			}
			ids, _, err := prepTokenizer(t, "", "encode", file, corpus)
			if err != nil {
				t.Fatal(err)
			}
			decoded, _, err := prepTokenizer(t, ids, "decode", file)
			if err != nil {
				t.Fatal(err)
			}
			if decoded != text {
				t.Errorf("decode gives %q, want %q", decoded, text)
			}
		})
	}
}

func TestTokenizerEncodeTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "byte.json")
	if _, _, err := prepTokenizer(t, "", "train", "--kind", "byte", "-o", file); err != nil {
		t.Fatal(err)
	}
	out, _, err := prepTokenizer(t, "a é\x1b", "encode", "--tokens", file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "97\t\"a\"\n32\t\" \"\n195\t\"\\xc3\"\n169\t\"\\xa9\"\n27\t\"\\x1b\"\n"; out != want {
		t.Errorf("encode --tokens prints\n%swant\n%s", out, want)
	}
}

func TestTokenizerTooLittleText(t *testing.T) {
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus.txt")
	if err := os.WriteFile(corpus, []byte("aaa"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, note, err := prepTokenizer(t, "", "train", corpus, "-o", filepath.Join(dir, "t.json"), "--vocab", "300")
	if err != nil || !strings.Contains(note, "fewer than 300") {
		t.Errorf("note %q, error %v; want a note that there are fewer tokens than asked for", note, err)
	}
}

func TestTokenizerErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "byte.json")
	if _, _, err := prepTokenizer(t, "", "train", "--kind", "byte", "-o", file); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"model": {"type": "Unigram"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, input string
		args        []string
		want        string
	}{
		{"no corpus", "", []string{"train", "-o", bad}, "needs a corpus"},
		{"unknown kind", "", []string{"train", "x", "-o", bad, "--kind", "word"}, `"word"`},
		{"size of char", "", []string{"train", "x", "-o", bad, "--kind", "char", "--vocab", "9"}, "--vocab"},
		{"size too small", "", []string{"train", file, "-o", bad, "--vocab", "9"}, "257"},
		{"no output", "", []string{"train", "x"}, `"out"`},
		{"missing file", "", []string{"encode", file, filepath.Join(dir, "none")}, "none"},
		{"model", "", []string{"encode", bad}, "Unigram"},
		{"id too large", "1 2 257", []string{"decode", file}, `token 3: "257"`},
		{"no number", "1 x", []string{"decode", file}, `token 2: "x"`},
		{"negative", "-1", []string{"decode", file}, `"-1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := prepTokenizer(t, c.input, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestTokenizerTrainKinds(t *testing.T) {
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus.txt")
	if err := os.WriteFile(corpus, []byte(strings.Repeat("the cat and the hat\n", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"wordpiece", "unigram"} {
		file := filepath.Join(dir, kind+".json")
		out, _, err := prepTokenizer(t, "", "train", corpus, "-o", file, "--kind", kind, "--vocab", "40")
		if err != nil || !strings.HasPrefix(out, kind+"\t") {
			t.Errorf("train --kind %s prints %q, error %v", kind, out, err)
		}
		out, _, err = prepTokenizer(t, "the hat", "encode", "--tokens", file)
		if err != nil || !strings.Contains(out, "the") {
			t.Errorf("%s encodes as %q, error %v", kind, out, err)
		}
	}
}
