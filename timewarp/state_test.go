package timewarp_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// TestRestoredWarpContinuesBitForBit saves every kind of warp in the middle of
// training, also in the middle of a step that the paper's fit waits for, and
// trains both copies on.
func TestRestoredWarpContinuesBitForBit(t *testing.T) {
	for name, w := range warps(t) {
		for _, steps := range []int{0, 1, 7, 40} {
			train(w, steps, 12, uint64(steps))
			saved, err := json.Marshal(w)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			twin, err := timewarp.Restore(saved)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range 100 {
				u := float64(i) / 99
				if a, b := timewarp.TrainQuantile(w, u), timewarp.TrainQuantile(twin, u); a != b {
					t.Fatalf("%s, step %d: training quantile of %v is %v, restored %v", name, steps, u, a, b)
				}
			}
			train(w, 13, 12, 99)
			train(twin, 13, 12, 99)
			a, err1 := json.Marshal(w)
			b, err2 := json.Marshal(twin)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if !bytes.Equal(a, b) {
				t.Fatalf("%s: states differ after step %d", name, steps)
			}
			sa, err1 := json.Marshal(w.Snapshot())
			sb, err2 := json.Marshal(twin.Snapshot())
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if !bytes.Equal(sa, sb) {
				t.Fatalf("%s: snapshots differ after step %d", name, steps)
			}
		}
	}
}

func TestSnapshot(t *testing.T) {
	for name, w := range warps(t) {
		train(w, 60, 16, 3)
		data, err := json.Marshal(w.Snapshot())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var s timewarp.Snapshot
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n := len(s.T)
		if n < 2 || len(s.CDF) != n || len(s.Density) != n || (len(s.Loss) != 0 && len(s.Loss) != n) {
			t.Fatalf("%s: %d nodes, %d values of the CDF, %d of the density, %d losses", name, n, len(s.CDF), len(s.Density), len(s.Loss))
		}
		if s.T[0] != tmin || s.T[n-1] != tmax || s.CDF[0] != 0 || s.CDF[n-1] != 1 || s.TMin != tmin || s.TMax != tmax {
			t.Errorf("%s: ends %v %v, F there %v %v", name, s.T[0], s.T[n-1], s.CDF[0], s.CDF[n-1])
		}
		if s.Steps != 60 || len(s.Quantiles) != 5 || s.Quantiles[2].T != w.Quantile(.5) {
			t.Errorf("%s: steps %d, quantiles %v", name, s.Steps, s.Quantiles)
		}
		for i := range n {
			if i > 0 && !(s.T[i] > s.T[i-1] && s.CDF[i] > s.CDF[i-1]) {
				t.Errorf("%s: node %d does not rise", name, i)
			}
			if len(s.Loss) > 0 && i > 0 && s.Loss[i] < s.Loss[i-1] {
				t.Errorf("%s: loss falls at node %d", name, i)
			}
		}
		count := 0.
		for _, b := range s.Observed {
			count += b.Count
			if !(b.Lo < b.Hi && b.T >= b.Lo*(1-1e-9) && b.T <= b.Hi*(1+1e-9)) {
				t.Errorf("%s: bin %+v", name, b)
			}
			if b.Count > 20 && math.Abs(b.Mean-curve(b.T)) > 5*b.StdErr+.15 {
				t.Errorf("%s: mean loss %.3f (%.3f) at %.3f, want about %.3f", name, b.Mean, b.StdErr, b.T, curve(b.T))
			}
		}
		if count < 100 || count > 60*16 {
			t.Errorf("%s: %v effective observations", name, count)
		}
	}
}

func TestFreshSnapshotsEncode(t *testing.T) {
	for name, w := range warps(t) {
		if _, err := json.Marshal(w.Snapshot()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	save := func(kind string) string {
		w, err := timewarp.New(kind, tmin, tmax, 8)
		if err != nil {
			t.Fatal(err)
		}
		train(w, 3, 100, 1)
		data, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	edit := func(kind, field, value string) string {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(save(kind)), &m); err != nil {
			t.Fatal(err)
		}
		if _, ok := m[field]; !ok {
			t.Fatalf("%s has no field %s", kind, field)
		}
		m[field] = json.RawMessage(value)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for name, data := range map[string]string{
		"empty":                "",
		"no object":            "[]",
		"no kind":              "{}",
		"truncated":            save("online")[:300],
		"unknown kind":         edit("karras", "kind", `"tomorrow"`),
		"range":                edit("online", "t_min", "60"),
		"short cdf":            edit("online", "cdf", "[0,1]"),
		"short loss":           edit("online", "loss", "[]"),
		"negative noise":       edit("online", "noise", "-1"),
		"memories missing":     edit("online", "memory", "[]"),
		"negative steps":       edit("sqrt", "steps", "-1"),
		"no histogram":         edit("uniform", "observed", "{}"),
		"options out of range": edit("paper", "options", `{"t_min":0.1,"t_max":50,"ema":7}`),
		"other range":          edit("paper", "options", `{"t_min":0.2,"t_max":50}`),
		"other bins":           edit("paper", "options", `{"t_min":0.1,"t_max":50,"bins":7}`),
		"no logits":            edit("paper", "fit", `{}`),
		"waiting":              edit("paper", "pending", `[{"T":100,"Loss":1,"Weight":1}]`),
		"logit too large":      edit("paper", "fit", `{"t_logits":[1e308],"u_logits":[1]}`),
	} {
		w, err := timewarp.Restore([]byte(data))
		if err == nil {
			t.Errorf("%s: restored as %T", name, w)
			continue
		}
		if !strings.Contains(err.Error(), "warp") {
			t.Errorf("%s: error does not say what failed: %v", name, err)
		}
	}
}

// FuzzRestore: whatever is restored is a warp that can be sampled, trained and
// saved again.
func FuzzRestore(f *testing.F) {
	for _, kind := range timewarp.Kinds() {
		w, err := timewarp.New(kind, tmin, tmax, 8)
		if err != nil {
			f.Fatal(err)
		}
		train(w, 2, 70, 1)
		data, err := json.Marshal(w)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
		f.Add(bytes.Replace(data, []byte("0.1"), []byte("1e300"), 1))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := timewarp.Restore(data)
		if err != nil {
			return
		}
		last := 0.
		for _, u := range []float64{0, .1, .5, .9, 1} {
			x := w.Quantile(u)
			if !(x >= last && x <= math.MaxFloat64) {
				t.Fatalf("quantile of %v is %v after %v", u, x, last)
			}
			last = x
		}
		w.Observe([]timewarp.Observation{{T: last, Loss: 1, Weight: 1}})
		if f := w.CDF(last); !(f >= 0 && f <= 1) {
			t.Fatalf("F(%v) = %v", last, f)
		}
		if _, err := json.Marshal(w); err != nil {
			t.Fatalf("save: %v", err)
		}
	})
}
