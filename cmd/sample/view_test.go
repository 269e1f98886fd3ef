package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/internal/generate"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// TestTextByConfidence: given text is cyan, certain text bright and uncertain
// text dim; without colour the uncertain is a dot. Lines break at the width.
func TestTextByConfidence(t *testing.T) {
	tok, err := tokenize.TrainChar(slices.Values([]string{"abcdef\n"}))
	if err != nil {
		t.Fatal(err)
	}
	ids := tok.Encode(nil, "ab\ncdeffe")
	c := generate.Canvas{IDs: ids, Noisy: []bool{false, false, false, true, true, true, true, true, true}}
	prob := []float32{1, 1, 1, .9, .9, .5, .1, .1, .9}
	for _, tt := range []struct {
		color bool
		want  []string
	}{
		{false, []string{"ab", "cde··", "e"}},
		{true, []string{"\x1b[36mab\x1b[0m", "\x1b[1mcd\x1b[0me\x1b[2mff\x1b[0m", "\x1b[1me\x1b[0m"}},
	} {
		v := &view{tok: tok, color: tt.color}
		if got := v.text(c, ids, prob, 5); !slices.Equal(got, tt.want) {
			t.Errorf("colour %v: got %q, want %q", tt.color, got, tt.want)
		}
	}
	v := &view{tok: tok}
	if got := v.text(c, []int32{ids[0], tok.EOS(), ids[1]}, []float32{1, 1, 1}, 5); !slices.Equal(got, []string{"a", "", "b"}) {
		t.Errorf("between two documents: got %q, want a blank line", got)
	}
}

// TestFrames: each step of a batch is one frame in the place of the last one,
// no longer or wider than the terminal, that stands for a while.
func TestFrames(t *testing.T) {
	const width, height = 20, 8
	dir := t.TempDir()
	train(t, dir, nil)
	pool := kernels.NewPool(1)
	defer pool.Close()
	model, err := trainer.Load(dir, pool)
	if err != nil {
		t.Fatal(err)
	}
	w, err := generate.NewDiffusion(model, diffusion.Sampler{Steps: 3, Method: diffusion.Euler, Guidance: 1, Temperature: .8, InitialNoise: 1})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	clock, waited := time.Unix(0, 0), time.Duration(0)
	v := &view{
		out: &out, tok: model.Tokenizer, of: 9, size: func() (int, int) { return width, height },
		now:   func() time.Time { clock = clock.Add(10 * time.Millisecond); return clock },
		sleep: func(d time.Duration) { waited += d },
	}
	w.Observe = v.see
	if _, err := generate.Collect(t.Context(), w, generate.Blank(60), 4, 5); err != nil {
		t.Fatal(err)
	}
	v.clear()
	frames := strings.Split(out.String(), noWrap)[1:]
	if len(frames) != 4 {
		t.Fatalf("%d frames of three steps and the end", len(frames))
	}
	up := regexp.MustCompile(`^\x1b\[(\d+)A\r`)
	for i, f := range frames {
		if (i > 0) != up.MatchString(f) {
			t.Errorf("frame %d does not begin where the last one did: %q", i, f)
		}
		f, last := strings.CutSuffix(up.ReplaceAllString(f, ""), "\x1b[5A\r\x1b[J") // a head and four lines
		if last != (i == 3) {
			t.Errorf("frame %d: taken off %v", i, last)
		}
		f, ok := strings.CutSuffix(f, eraseBelow+wrap)
		if !ok {
			t.Errorf("frame %d leaves the terminal without wrapping: %q", i, f)
		}
		lines := strings.Split(strings.TrimSuffix(f, eraseLine+"\n"), eraseLine+"\n")
		if !strings.HasPrefix(lines[0], "texts 5 to 9 of 9") {
			t.Errorf("frame %d is headed %q", i, lines[0])
		}
		if len(lines) >= height {
			t.Errorf("frame %d has %d lines of %d", i, len(lines), height)
		}
		for _, line := range lines {
			if utf8.RuneCountInString(line) >= width {
				t.Errorf("frame %d is wider than the terminal: %q", i, line)
			}
		}
	}
	if waited != 3*(frameEvery-10*time.Millisecond) {
		t.Errorf("waited %v between frames that came after 10 ms", waited)
	}
}
