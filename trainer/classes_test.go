package trainer

import (
	"math"
	"testing"
)

// TestClassesOf places the tokens of a small text by hand.
func TestClassesOf(t *testing.T) {
	kinds := func(pieces ...string) *Classes {
		c := &Classes{tenth: make([]int, len(pieces))}
		for i, p := range pieces {
			c.tenth[i] = i
			c.kind = append(c.kind, kindOf([]byte(p)))
		}
		return c
	}
	for name, c := range map[string]struct {
		pieces []string // of the text, each a token of its own
		kind   []int
		place  []int // 0 for none
	}{
		"characters": {
			[]string{"I", "'", "m", " ", "s", "o"},
			[]int{kindLetters, kindPunctuation, kindLetters, kindSpace, kindLetters, kindLetters},
			[]int{0, 0, placeBegins, 0, placeBegins, placeWithin},
		},
		"byte pairs": {
			[]string{" the", "or", "em", ",", " 42", "\xc3"},
			[]int{kindLetters, kindLetters, kindLetters, kindPunctuation, kindDigits, kindOther},
			[]int{placeBegins, placeWithin, placeWithin, 0, 0, 0},
		},
		"letters of other scripts": {[]string{"é", "ж"}, []int{kindLetters, kindLetters}, []int{0, placeWithin}},
	} {
		t.Run(name, func(t *testing.T) {
			all := kinds(c.pieces...)
			ids := make([]int32, len(c.pieces))
			for i := range ids {
				ids[i] = int32(i)
			}
			for i := range ids {
				in, n := all.of(ids, i)
				place := 0
				if n == 3 {
					place = in[2]
				}
				if in[0] != i || in[1] != c.kind[i] || place != c.place[i] {
					t.Errorf("token %q: classes %v of %d, want kind %d and place %d", c.pieces[i], in, n, c.kind[i], c.place[i])
				}
			}
		})
	}
}

// TestClassesAddUp: every group that has all tokens has all of the loss.
func TestClassesAddUp(t *testing.T) {
	tr := begin(t, t.TempDir()+"/run", tiny(t, shards(t)), 1, Options{})
	e, err := tr.evaluate()
	tr.Close()
	if err != nil {
		t.Fatal(err)
	}
	n := tokens(e.Classes)
	if n["frequency"] != n["kind"] || n["place"] >= n["kind"] || n["place"] == 0 {
		t.Errorf("groups score %v tokens: want all by frequency and by kind, and those with letters by place", n)
	}
	for k := range e.T {
		var sum, n float64
		for _, c := range e.Classes {
			if c.Group == "frequency" {
				sum += c.CE[k] * float64(c.Tokens)
				n += float64(c.Tokens)
			}
		}
		if got := sum / n; math.Abs(got-e.CE[k]) > 1e-9 {
			t.Errorf("level %g: classes have a mean loss of %v, all tokens %v", e.T[k], got, e.CE[k])
		}
	}
}

// tokens counts those of each group.
func tokens(classes []ClassLoss) map[string]int {
	n := map[string]int{}
	for _, c := range classes {
		n[c.Group] += c.Tokens
	}
	return n
}

// TestFrequencyClasses: a token of a later class is never more common than one of
// an earlier class.
func TestFrequencyClasses(t *testing.T) {
	tr := begin(t, t.TempDir()+"/run", tiny(t, shards(t)), 1, Options{})
	defer tr.Close()
	const windows = 100
	c, err := NewClasses(tr.data.Tokenizer, tr.data.HeldOut, tr.config.Data.Length, windows)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int32]int{}
	ids := make([]int32, tr.config.Data.Length)
	for i := range min(windows, tr.data.HeldOut.Windows()) {
		if err := tr.data.HeldOut.Window(ids, 0, i); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			counts[id]++
		}
	}
	for a, n := range counts {
		for b, m := range counts {
			if n > m && c.tenth[a] > c.tenth[b] {
				t.Errorf("token %d of class %d is there %d times, %d of class %d %d times", a, c.tenth[a]+1, n, b, c.tenth[b]+1, m)
			}
		}
	}
	if first := c.tenth[common(counts)]; first != 0 {
		t.Errorf("the most common token is in class %d", first+1)
	}
}

func common(counts map[int32]int) (most int32) {
	for id, n := range counts {
		if n > counts[most] || n == counts[most] && id < most {
			most = id
		}
	}
	return most
}
