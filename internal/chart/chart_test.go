package chart

import (
	"fmt"
	"math"
	"os"
	"testing"
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

func TestDemo(t *testing.T) {
	figs := []Figure{history(), losses(), norms(), projection()}
	w, _ := os.Create("/tmp/h8-demo.png")
	if err := WritePicture(w, PNG, figs); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for _, color := range []bool{false, true} {
		for _, f := range figs {
			if err := WriteTerminal(os.Stdout, f, Terminal{Width: 80, Color: color}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
