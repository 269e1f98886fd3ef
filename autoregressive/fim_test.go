package autoregressive

import (
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// restore reads a rearranged window as its definition says.
func restore(t *testing.T, f FIM, window []int32) (prefix, middle, suffix []int32) {
	t.Helper()
	suf, mid, end := slices.Index(window, f.Suf), slices.Index(window, f.Mid), slices.Index(window, f.End)
	if window[0] != f.Pre || suf < 1 || mid < suf || end != len(window)-1 {
		t.Fatalf("%v: sentinels are not in order", window)
	}
	if suf > 1 {
		return window[1:suf], window[mid+1 : end], window[suf+1 : mid]
	}
	return nil, window[mid+1 : end], window[2:mid] // prefix and middle are one
}

func TestRearrangeKeepsTheText(t *testing.T) {
	const n = 6
	f := NewFIM(n)
	text := []int32{0, 1, 2, 3, 4, 5}
	cuts, suffixFirst := map[int]int{}, 0
	const draws = 4000
	for i := range draws {
		s := rng.New(1, "fim", uint64(i), 0)
		window := make([]int32, n+NumSentinels)
		f.Rearrange(window, text, &s)
		prefix, middle, suffix := restore(t, f, window)
		if got := slices.Concat(prefix, middle, suffix); !slices.Equal(got, text) {
			t.Fatalf("%v holds the text %v", window, got)
		}
		cuts[len(suffix)]++
		if window[1] == f.Suf {
			suffixFirst++
		}
	}
	// Half are in suffix order, and a seventh of the rest (prefix empty) looks like
	// it: 1/2 + 1/2·P(a cut at 0) = 1/2 + 13/98 = .633, standard deviation .0076.
	if share := float64(suffixFirst) / draws; share < .595 || share > .67 {
		t.Errorf("a share of %.3f begins with the suffix, want .633", share)
	}
	// The later of two uniform cuts at 0..6 is at k with probability (2k+1)/49.
	for k := range n + 1 {
		want := float64(2*k+1) / 49
		if share := float64(cuts[n-k]) / draws; share < want-.04 || share > want+.04 {
			t.Errorf("a share of %.3f has its second cut at %d, want %.3f", share, k, want)
		}
	}
}

func TestOrders(t *testing.T) {
	f := NewFIM(10)
	prefix, suffix := []int32{1, 2}, []int32{3}
	if got, want := f.PSM(nil, prefix, suffix), []int32{10, 1, 2, 11, 3, 12}; !slices.Equal(got, want) {
		t.Errorf("prefix first: %v, want %v", got, want)
	}
	if got, want := f.SPM(nil, prefix, suffix), []int32{10, 11, 3, 12, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("suffix first: %v, want %v", got, want)
	}
}
