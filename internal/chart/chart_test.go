package chart

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// history is the shape of a learned warp on its way to the right place.
func history() Figure {
	f := Figure{
		Name: "cdf", Title: "Time warp F(t) over training",
		X: Axis{Label: "noise level t", Unit: "standard deviations", Scale: Log}, Y: Axis{Label: "F(t)", Min: 0, Max: 1},
		Ramp: &Ramp{Label: "step", Min: 0, Max: 4000},
	}
	for k := range 9 {
		at := float64(k * 500)
		s := Series{Name: fmt.Sprintf("step %g", at), At: &at}
		for i := range 128 {
			lt := math.Log(.2) + float64(i)/127*math.Log(250)
			s.X = append(s.X, math.Exp(lt))
			s.Y = append(s.Y, 1/(1+math.Exp(-2*(lt-.8-3*math.Exp(-at/800)))))
		}
		f.Series = append(f.Series, s)
	}
	return f
}

// losses has bins with errors, a fitted curve and a dashed reference.
func losses() Figure {
	f := Figure{
		Name: "loss", Title: "Loss by noise level",
		X: Axis{Label: "noise level t", Scale: Log}, Y: Axis{Label: "cross-entropy", Unit: "nats"},
	}
	fit := Series{Name: "fitted curve"}
	seen := Series{Name: "observed ± standard error", Kind: Scatter, Color: 1, StdErr: []float64{}}
	for i := range 128 {
		t := math.Exp(math.Log(.2) + float64(i)/127*math.Log(250))
		fit.X, fit.Y = append(fit.X, t), append(fit.Y, 3*t*t/(4+t*t))
		if i%6 == 3 {
			seen.X, seen.Y = append(seen.X, t), append(seen.Y, 3*t*t/(4+t*t)+.1*math.Sin(float64(i)))
			seen.StdErr = append(seen.StdErr, .12)
		}
	}
	half := Series{Name: "half of the top", X: []float64{.2, 50}, Y: []float64{1.5, 1.5}, Color: 6, Dashed: true}
	f.Series = []Series{seen, fit, half}
	return f
}

func norms() Figure {
	f := Figure{Name: "norms", Title: "Raw embedding norms", X: Axis{Label: "‖w‖"}, Y: Axis{Label: "tokens"}}
	s := Series{Kind: Bars, Name: "tokens", Color: 2}
	for i := range 25 {
		s.X = append(s.X, float64(i)*.1)
		if i < 24 {
			s.Y = append(s.Y, math.Round(30*math.Exp(-math.Pow(float64(i)-11, 2)/30)))
		}
	}
	f.Series = []Series{s}
	return f
}

func projection() Figure {
	f := Figure{Name: "pca", Title: "Embeddings, first two principal components", X: Axis{Label: "component 1", Unit: "31 % of variance"}, Y: Axis{Label: "component 2", Unit: "17 %"}}
	s := Series{Kind: Scatter, Name: "token"}
	for i := range 65 {
		a := float64(i) * 2.4
		s.X, s.Y = append(s.X, math.Cos(a)*math.Sqrt(float64(i))), append(s.Y, math.Sin(a)*math.Sqrt(float64(i)))
		s.Labels = append(s.Labels, string(rune('!'+i)))
	}
	s.Labels[3], s.Labels[4] = "\n", "\x1b[31m"
	f.Series = []Series{s}
	return f
}

func all() []Figure { return []Figure{history(), losses(), norms(), projection()} }

// TestGolden keeps the terminal charts as text, for a terminal of usual width and
// for one that is wider than a chart gets. UPDATE_GOLDEN=1 rewrites them.
func TestGolden(t *testing.T) {
	for _, f := range all() {
		for suffix, terminal := range map[string]Terminal{
			".txt": {Width: 80}, ".ansi": {Width: 80, Color: true}, "-200.txt": {Width: 200},
		} {
			t.Run(f.Name+suffix, func(t *testing.T) {
				var got bytes.Buffer
				if err := WriteTerminal(&got, f, terminal); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join("testdata", f.Name+suffix)
				if os.Getenv("UPDATE_GOLDEN") != "" {
					if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%s has changed:\n%s", path, got.String())
				}
			})
		}
	}
}

// plain takes the colours out.
func plain(s string) string {
	var b strings.Builder
	for s != "" {
		before, after, found := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !found {
			break
		}
		_, s, _ = strings.Cut(after, "m")
	}
	return b.String()
}

func TestTerminalWidth(t *testing.T) {
	for _, width := range []int{0, 40, 57, 80, 200} {
		for _, f := range all() {
			for _, color := range []bool{false, true} {
				var out bytes.Buffer
				if err := WriteTerminal(&out, f, Terminal{Width: width, Color: color}); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(out.String()) {
					if n := cells(strings.TrimSuffix(plain(line), "\n")); n > max(width, 40) {
						t.Errorf("%s, width %d: a line takes %d columns: %q", f.Name, width, n, line)
					}
				}
			}
		}
	}
}

func TestColourIsOneSwitch(t *testing.T) {
	var out bytes.Buffer
	for _, f := range all() {
		if err := WriteTerminal(&out, f, Terminal{Width: 80}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("there is an escape sequence in a chart without colour, or in the label of a point")
	}
}

func TestPNG(t *testing.T) {
	var a, b bytes.Buffer
	for _, w := range []io.Writer{&a, &b} {
		if err := WritePicture(w, PNG, all()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same figures gave other bytes")
	}
	img, err := png.Decode(&a)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := img.Bounds().Size().X, int(2*5.6*pngDPI); got != want {
		t.Errorf("the page is %d pixels wide, want %d", got, want)
	}
}

func TestSVG(t *testing.T) {
	var out bytes.Buffer
	f := projection()
	f.Title = `<script>alert("x")</script> & more`
	if err := WritePicture(&out, SVG, []Figure{f}); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&out)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
			t.Error("a title became an element")
		}
	}
}

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	if err := WriteCSV(&out, all()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, f := range all() {
		for _, s := range f.Series {
			points += len(s.Y)
		}
	}
	if len(rows) != points+1 {
		t.Errorf("%d rows, want a heading and %d points", len(rows), points)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		figure Figure
	}{
		{"lengths", Figure{Series: []Series{{X: []float64{1}, Y: []float64{1, 2}}}}},
		{"bars without their last edge", Figure{Series: []Series{{Kind: Bars, X: []float64{1, 2}, Y: []float64{1, 2}}}}},
		{"errors", Figure{Series: []Series{{X: []float64{1}, Y: []float64{1}, StdErr: []float64{}}}}},
		{"range turned", Figure{X: Axis{Min: 2, Max: 1}}},
		{"logarithm of zero", Figure{Y: Axis{Scale: Log, Min: 0, Max: 1}}},
		{"not a number", Figure{Y: Axis{Min: math.NaN(), Max: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := WriteTerminal(io.Discard, c.figure, Terminal{}); err == nil {
				t.Error("WriteTerminal must refuse it")
			}
			if err := WritePicture(io.Discard, PNG, []Figure{c.figure}); err == nil {
				t.Error("WritePicture must refuse it")
			}
			if err := WriteCSV(io.Discard, []Figure{c.figure}); err == nil {
				t.Error("WriteCSV must refuse it")
			}
		})
	}
}

// TestAnyNumbers draws what a broken run may log: huge, tiny, infinite and
// missing values must neither panic nor hang nor spill over the width.
func TestAnyNumbers(t *testing.T) {
	value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
		0, 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64,
	}))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(t, "n")
		draw := func(n int, name string) []float64 { return rapid.SliceOfN(value, n, n).Draw(t, name) }
		kind := rapid.SampledFrom([]Kind{Line, Step, Bars, Scatter}).Draw(t, "kind")
		s := Series{Name: "s", Kind: kind, X: draw(n, "x"), Y: draw(n, "y"), StdErr: draw(n, "stderr")}
		if kind == Bars && n > 0 {
			s.X = append(s.X, value.Draw(t, "edge"))
		}
		at := value.Draw(t, "at")
		s.At = &at
		scale := func(name string) Scale { return rapid.SampledFrom([]Scale{Linear, Log}).Draw(t, name) }
		f := Figure{
			Name: "f", Title: rapid.String().Draw(t, "title"), X: Axis{Label: "x", Scale: scale("xscale")},
			Y: Axis{Label: "y", Scale: scale("yscale")}, Series: []Series{s, s},
			Ramp: &Ramp{Label: "r", Scale: scale("rscale"), Min: value.Draw(t, "rmin"), Max: value.Draw(t, "rmax")},
		}
		var out bytes.Buffer
		if err := WriteTerminal(&out, f, Terminal{Width: 60}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := cells(strings.TrimSuffix(line, "\n")); n > 60 {
				t.Fatalf("a line takes %d columns: %q", n, line)
			}
		}
		if err := WritePicture(io.Discard, SVG, []Figure{f}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		name string
		span span
		want int
		text string
	}{
		{"unit", span{Linear, 0, 1}, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{"around zero", span{Linear, -1, 1}, 4, "−1.0 −0.5 0.0 0.5 1.0"},
		{"thousands", span{Linear, 0, 20000}, 4, "0 5k 10k 15k 20k"},
		{"small", span{Linear, 0, .003}, 3, "0.000 0.001 0.002 0.003"},
		{"noise levels", span{Log, .2, 50}, 6, "0.2 0.5 1 2 5 10 20 50"},
		{"many decades", span{Log, 1e-6, 1e6}, 4, "1e−6 0.001 1 1000 1M"},
		{"steps", span{Log, 1, 4000}, 5, "1 10 100 1000"},
		{"part of a decade", span{Log, .85, 2.3}, 5, "1.0 1.5 2.0"},
		{"part of a decade, all above 5", span{Log, 5.5, 9.5}, 4, "6 7 8 9"},
		{"two places", span{Whole, .5, 2.5}, 8, "1 2"},
		{"many places", span{Whole, .5, 40.5}, 4, "10 20 30 40"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var labels []string
			for _, k := range c.span.ticks(c.want) {
				if k.label != "" {
					labels = append(labels, k.label)
				}
			}
			if got := strings.Join(labels, " "); got != c.text {
				t.Errorf("labels %q, want %q", got, c.text)
			}
		})
	}
}

func TestText(t *testing.T) {
	if n := cells("a日é"); n != 4 {
		t.Errorf("cells = %d, want 4", n)
	}
	if got := clip("日本語", 4); got != "日…" {
		t.Errorf("clip = %q", got)
	}
}

func BenchmarkWriteTerminal(b *testing.B) {
	f := history()
	for b.Loop() {
		if err := WriteTerminal(io.Discard, f, Terminal{Width: 80, Color: true}); err != nil {
			b.Fatal(err)
		}
	}
}
