package diffusion

import "testing"

// TestWithCalls: the most steps that a budget has room for.
func TestWithCalls(t *testing.T) {
	for _, tt := range []struct {
		method   string
		guidance float64
		calls    int
		steps    int // 0: refused
	}{
		{Euler, 1, 65, 64},
		{Ancestral, 1, 2, 1},
		{Ancestral, 1, 1, 0},
		{Heun, 1, 65, 32},
		{Heun, 1, 64, 31},
		{Euler, 2, 65, 32},
		{Heun, 2, 65, 16},
		{Heun, 2, 4, 0},
	} {
		s, err := Sampler{Method: tt.method, Guidance: tt.guidance}.WithCalls(tt.calls)
		if tt.steps == 0 {
			if err == nil {
				t.Errorf("%s, guidance %v: %d calls are taken to suffice for %d steps", tt.method, tt.guidance, tt.calls, s.Steps)
			}
			continue
		}
		if err != nil || s.Steps != tt.steps || s.Calls() > tt.calls {
			t.Errorf("%s, guidance %v, %d calls: %d steps, which take %d, error %v; expected %d steps",
				tt.method, tt.guidance, tt.calls, s.Steps, s.Calls(), err, tt.steps)
		}
	}
}
