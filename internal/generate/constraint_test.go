package generate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

func TestMet(t *testing.T) {
	for _, tt := range []struct {
		kind, asked, text string
		want              bool
	}{
		{"contain", "he", "the king", false},
		{"contain", "he", "when he came", true},
		{"contain", "king", "O king!", true},
		{"contain", "king", "kings and king", true},
		{"contain", "king", "kings, taking", false},
		{"contain", "king", "king's", true},
		{"contain", "the king", "bathe king", false},
		{"contain", "thé", "le thé", true},
		{"contain", "th", "thé", false},
		{"contain", ", and", "so, and so", true},
		{"contain", ", and", "so, andy", false},
		{"avoid", "the", "them", true},
		{"avoid", "the", "in the end", false},
		{"starts", "What", "What's", true},
		{"starts", "What", " What", false},
		{"ends", "end.", "the end.", true},
		{"ends", "end.", "the end. ", false},
	} {
		if got := (Constraint{tt.kind, tt.asked}).Met(tt.text); got != tt.want {
			t.Errorf("%q %s %q: %v", tt.text, tt.kind, tt.asked, got)
		}
	}
}

// text has words enough for a vocabulary of byte pairs.
var text = strings.Repeat("the king and the queen sing in the evening\nkings sing. a thing, the end\n", 40)

// TestPhrases: a word is found as a text has it, after a line break and a space,
// and what would make it another word is kept away.
func TestPhrases(t *testing.T) {
	bpe, err := tokenize.TrainBPE(slices.Values([]string{text}), 300)
	if err != nil {
		t.Fatal(err)
	}
	for name, tok := range map[string]*tokenize.Tokenizer{"byte pairs": bpe, "characters": wild(t, 1).Tokenizer} {
		l := newLexicon(tok)
		phrases, err := l.phrases("king")
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int{"byte pairs": 2, "characters": 1}[name]; len(phrases) != want {
			t.Errorf("%s: %d ways to write a word, expected %d", name, len(phrases), want)
		}
		for _, in := range []struct {
			text string
			want bool
		}{
			{"king", true},
			{"the king", true},
			{"a king and a queen", true},
			{"kings", false},
			{"a thinking king", true},
			{"a thinking end", false},
			{"the kings sing", false},
		} {
			if got := occurs(phrases, tok.Encode(nil, in.text)); got != in.want {
				t.Errorf("%s: %q in %q: %v", name, "king", in.text, got)
			}
		}
		if _, err := l.phrases(" "); err == nil {
			t.Errorf("%s: a blank word has phrases", name)
		}
	}
	if _, err := (Constraints{Avoid: []string{"Ä"}}).Control(wild(t, 1).Tokenizer, 1, .5); err == nil {
		t.Error("a word that the vocabulary cannot spell has phrases")
	}
}

// occurs tells whether one of the phrases is in a text.
func occurs(phrases []diffusion.Phrase, ids []int32) bool {
	for _, p := range phrases {
		for at := 0; at+len(p.Tokens) <= len(ids); at++ {
			end := at + len(p.Tokens)
			if slices.Equal(ids[at:end], p.Tokens) &&
				(at == 0 || !slices.Contains(p.NotBefore, ids[at-1])) &&
				(end == len(ids) || !slices.Contains(p.NotAfter, ids[end])) {
				return true
			}
		}
	}
	return false
}

// TestControlledTextsKeepToWhatIsAsked: even a network of random weights writes
// what is asked for, with every sampler and with what is given.
func TestControlledTextsKeepToWhatIsAsked(t *testing.T) {
	model := wild(t, 2)
	c := Constraints{Contain: []string{"hi", "you"}, Avoid: []string{"a", "b", "x y"}, Starts: "so ", Ends: "end."}
	canvas, err := Between(model.Tokenizer, c.Starts, c.Ends, 24)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{diffusion.Euler, diffusion.Heun, diffusion.Ancestral} {
		for _, strength := range []float64{0, 1} {
			s := sampler(method)
			if s.Control, err = c.Control(model.Tokenizer, strength, .5); err != nil {
				t.Fatal(err)
			}
			w, err := NewDiffusion(model, s)
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range collect(t, w, canvas, 0, 8) {
				for _, k := range c.List() {
					if !k.Met(text.Text) {
						t.Errorf("%s, strength %v: text %d, %q, not as asked: %s %q", method, strength, i, text.Text, k.Kind, k.Text)
					}
				}
			}
		}
	}
	none, err := Constraints{Starts: "so", Ends: "end."}.Control(model.Tokenizer, 1, .5)
	if err != nil || none != nil {
		t.Errorf("control %v, %v where the canvas says all", none, err)
	}
}

func ExampleConstraints() {
	c := Constraints{Contain: []string{"king"}, Ends: "crown."}
	for _, k := range c.List() {
		fmt.Println(k.Kind, k.Text, k.Met("Taking the crown."))
	}
	// Output:
	// contain king false
	// ends crown. true
}
