package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed-4c77ef92/textwarp/internal/cli"
	"github.com/seed-4c77ef92/textwarp/timewarp"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// watched is a view of a run that has made 1,170 of 2,246 steps in 90 seconds.
func watched(out *strings.Builder, width, height int) *live {
	at := time.Unix(1_700_000_000, 0)
	l := &live{
		out: out, frame: cli.NewFrame(out), label: "demo/run",
		size: func() (int, int) { return width, height }, now: func() time.Time { return at },
	}
	w := timewarp.Snapshot{Quantiles: []timewarp.Quantile{{U: .5, T: 2.5}}}
	for i := range 101 { // a normal distribution over ln t
		t := .02 * math.Pow(300/.02, float64(i)/100)
		w.T, w.CDF = append(w.T, t), append(w.CDF, (1+math.Erf(math.Log(t/2.5)))/2)
	}
	tell := func(step int, line any) { l.event(trainer.Event{Kind: "line", Step: step, Steps: 2246, Line: line}) }
	for step := 10; step <= 1170; step += 10 {
		tell(step, trainer.MetricsLine{Step: step, Loss: 2.5 + 4/float64(step)*20})
		tell(step, trainer.TimingLine{Step: step, TokensPerSecond: 14903})
		at = at.Add(90 * time.Second / 116)
	}
	tell(1170, trainer.WarpLine{Step: 1170, Warp: w})
	tell(1170, trainer.SampleLine{Step: 1170, Text: "ROMEO:\n\x1b[2Jfair \u202emaid, \xff good <b>day</b>\r " + strings.Repeat("and so on ", 40)})
	return l
}

// TestLive compares what stands on the terminal with testdata/live. With
// TEXTWARP_GOLDEN=write it is written instead.
func TestLive(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 50}, {40, 5}, {12, 2}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			l := watched(&out, size[0], size[1])
			defer l.done()
			lines := l.lines(size[0]-1, size[1]-1)
			if len(lines) >= size[1] {
				t.Errorf("%d lines", len(lines))
			}
			for _, line := range lines {
				if n := len([]rune(line)); n >= size[0] {
					t.Errorf("%d columns: %q", n, line)
				}
				if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("not printable: %q", line)
				}
			}
			got, path := strings.Join(lines, "\n")+"\n", filepath.Join("testdata", "live", name)
			if os.Getenv("TEXTWARP_GOLDEN") == "write" {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || got != string(want) {
				t.Errorf("%v; got\n%s, want\n%s", err, got, want)
			}
		})
	}
}

func TestLiveSays(t *testing.T) {
	var out strings.Builder
	l := watched(&out, 80, 24)
	defer l.done()
	out.Reset()
	l.event(trainer.Event{Kind: "skipped", Step: 1171, Text: "loss NaN"})
	got := out.String()
	rise, rest, _ := strings.Cut(got, "warning: step 1171 is not finite and was skipped (loss NaN)\n")
	// What stood had two lines: the warp and the text came after it was drawn.
	if rise != "\x1b[2A\r\x1b[J" || !strings.HasPrefix(rest, "\x1b[?7ldemo/run   52%") {
		t.Errorf("got %q", got)
	}
}

func TestHistory(t *testing.T) {
	var h history
	for i := range 5000 {
		h.add(float64(i))
	}
	if len(h.values) >= historyLength || h.each != 8 || h.values[0] != 3.5 {
		t.Errorf("%d values of %d, the first %v", len(h.values), h.each, h.values[0])
	}
	if got := h.resampled(5); len(got) != 5 || got[0] >= got[1] || got[3] >= got[4] {
		t.Errorf("got %v", got)
	}
	if got := h.resampled(0); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
