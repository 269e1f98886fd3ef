package kernels

import "testing"

func TestEnvironmentForcesTheLevel(t *testing.T) {
	have := levels()
	best := have[len(have)-1]
	for _, c := range []struct {
		value string
		want  isa
	}{{"", best}, {"generic", generic}, {"nonsense", best}} {
		t.Setenv("TEXTWARP_ISA", c.value)
		p := NewPool(1)
		if got := p.Level(); got != c.want.String() {
			t.Errorf("TEXTWARP_ISA=%q gives %s, want %s", c.value, got, c.want)
		}
		p.Close()
	}
	for _, s := range have {
		t.Setenv("TEXTWARP_ISA", s.String())
		p := NewPool(1)
		if p.Level() != s.String() {
			t.Errorf("TEXTWARP_ISA=%s gives %s", s, p.Level())
		}
		p.Close()
	}
}
