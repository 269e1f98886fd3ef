// Command ladder prints where the samples of a model stand between n-gram
// generators and real text.
//
//	go run ./bench/ladder -text testdata/tinyshakespeare/input.txt -samples samples.jsonl
//
// The first 90 % of the bytes of -text train the judge, the rest is held out;
// -heldout names a file of its own instead. The samples are lines of JSON with
// a string "text", as `sample --json` and the samples.jsonl of a run have them.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/judge"
)

func main() {
	text := flag.String("text", "", "training text of the models")
	heldOut := flag.String("heldout", "", "held-out text (default: the last 10 % of -text)")
	samples := flag.String("samples", "", "samples to score, one JSON object with \"text\" a line (- for standard input)")
	seed := flag.Uint64("seed", 1, "seed of the n-gram generators")
	flag.Parse()
	if err := run(*text, *heldOut, *samples, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(text, heldOut, samples string, seed uint64) error {
	if text == "" {
		return errors.New("name the training text with -text")
	}
	train, held, err := readTexts(text, heldOut)
	if err != nil {
		return err
	}
	rungs, j, err := judge.Ladder(train, held, seed)
	if err != nil {
		return err
	}
	if samples != "" {
		written, err := readSamples(samples)
		if err != nil {
			return err
		}
		score, err := j.Score(written)
		if err != nil {
			return err
		}
		rungs = append(rungs, judge.Rung{Name: samples, Score: score})
	}
	fmt.Println("source               held-out    nll      H   word ± se    word4 ± se  dist-2  rep copied")
	for _, r := range rungs {
		h := "    –"
		if r.HeldOut > 0 {
			h = fmt.Sprintf("%.3f", r.HeldOut)
		}
		s := r.Score
		fmt.Printf("%-20s %8s   %.3f  %.3f  %.3f ±.%03.0f  %.3f ±.%03.0f   %.3f %.3f  %.3f\n",
			r.Name, h, s.NLL.Value, s.Entropy.Value, s.Known.Value, 1000*s.Known.StdErr, s.KnownLong.Value, 1000*s.KnownLong.StdErr,
			s.Distinct[1].Value, s.Repeated.Value, s.Copied.Value)
	}
	return nil
}

// readTexts returns the training and the held-out text.
func readTexts(text, heldOut string) (train, held string, err error) {
	b, err := os.ReadFile(text)
	if err != nil {
		return "", "", err
	}
	if heldOut != "" {
		h, err := os.ReadFile(heldOut)
		return string(b), string(h), err
	}
	cut := len(b) * 9 / 10
	for cut < len(b) && !utf8.RuneStart(b[cut]) {
		cut++
	}
	return string(b[:cut]), string(b[cut:]), nil
}

// readSamples reads the "text" of each line.
func readSamples(path string) ([]string, error) {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	var out []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var sample struct {
			Text *string `json:"text"`
		}
		if err := json.Unmarshal(lines.Bytes(), &sample); err != nil {
			return nil, fmt.Errorf("read %q, line %d: %w", path, n, err)
		}
		if sample.Text == nil {
			return nil, fmt.Errorf("read %q, line %d: there is no \"text\"", path, n)
		}
		out = append(out, *sample.Text)
	}
	return out, lines.Err()
}
