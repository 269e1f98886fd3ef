package generate

import (
	"reflect"
	"strings"
	"testing"
)

func TestLayouts(t *testing.T) {
	tok := wild(t, 1).Tokenizer
	layouts, err := Infill(tok, "[MASK:2-3] a[MASK:1]b[MASK:1-2]")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]int{{2, 1, 1}, {2, 1, 2}, {3, 1, 1}, {3, 1, 2}}
	for i, c := range layouts {
		if i >= len(want) || !reflect.DeepEqual(c.Holes, want[i]) || c.Layout != i {
			t.Fatalf("layout %d (called %d) has holes of %v, expected %v", i, c.Layout, c.Holes, want)
		}
		var noisy string
		for j, n := range c.Noisy {
			if n {
				noisy += "_"
			} else {
				noisy += tok.Token(c.IDs[j])
			}
		}
		hole := func(k int) string { return strings.Repeat("_", want[i][k]) }
		if text := hole(0) + " a" + hole(1) + "b" + hole(2); noisy != text {
			t.Errorf("layout %d is %q, expected %q", i, noisy, text)
		}
	}
	if len(layouts) != len(want) {
		t.Errorf("%d layouts, expected %d", len(layouts), len(want))
	}
}

// TestManyLengthsAreThinned: the ends stay, what is between is evenly spaced, and
// the holes share 32 layouts.
func TestManyLengthsAreThinned(t *testing.T) {
	one := combinations([]span{{1, 63}})
	if len(one) != maxLayouts || one[0][0] != 1 || one[1][0] != 3 || one[31][0] != 63 {
		t.Errorf("lengths of one hole of 1 to 63: %v, expected 1, 3, 5… 63", one)
	}
	two := combinations([]span{{4, 7}, {1, 100}})
	if len(two) != 32 || !reflect.DeepEqual(two[:8], [][]int{{4, 1}, {4, 15}, {4, 29}, {4, 43}, {4, 58}, {4, 72}, {4, 86}, {4, 100}}) {
		t.Errorf("lengths of two holes: %v, expected 4 of the first with 8 of the second", two)
	}
	wide := []span{{1, 9}, {1, 9}, {1, 9}, {1, 9}, {1, 9}, {1, 9}, {1, 9}}
	if got := combinations(wide); len(got) > maxLayouts || len(got) < maxLayouts/2 || !reflect.DeepEqual(got[0], []int{5, 5, 1, 1, 1, 1, 1}) {
		t.Errorf("%d combinations of seven holes, of which the first is %v", len(got), got[0])
	}
}

func TestCanvasRefusals(t *testing.T) {
	tok := wild(t, 1).Tokenizer
	infill := func(text string) func() error {
		return func() error { _, err := Infill(tok, text); return err }
	}
	prompt := func(text string, length int) func() error {
		return func() error { _, err := Prompt(tok, text, length); return err }
	}
	for name, lay := range map[string]func() error{
		"no hole":             infill("abc"),
		"empty hole":          infill("a[MASK:0]"),
		"hole beyond numbers": infill("a[MASK:99999999999999999999]"),
		"lengths turned":      infill("a[MASK:5-4]"),
		"lengths from none":   infill("a[MASK:0-4]"),
		"lengths too long":    infill("a[MASK:4-65537]"),
		"holes too long":      infill("[MASK:65536]a"),
		"unknown character":   infill("ä[MASK:3]"),
		"unknown in prompt":   prompt("ä", 9),
		"prompt fills all":    prompt("abc", 3),
		"no length":           prompt("", 0),
		"length beyond limit": prompt("", 65537),
	} {
		if err := lay(); err == nil {
			t.Errorf("%s: laid out, expected an error", name)
		}
	}
}
