package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// document is a document of the corpus that is made.
type document struct {
	Text string `json:"text"`

	kind   string // how it was made from another, "" for an original
	number int    // its place in the corpus
}

// edits make a near-duplicate of the words of a document, stronger with a
// larger share.
var edits = []struct {
	kind string
	do   func(r *rand.Rand, words []string, share float64) []string
}{
	{"copy", func(_ *rand.Rand, words []string, _ float64) []string { return words }},
	{"layout", func(r *rand.Rand, words []string, _ float64) []string {
		for i, w := range words {
			switch r.IntN(4) {
			case 0:
				words[i] = strings.ToUpper(w)
			case 1:
				words[i] = w + ","
			case 2:
				words[i] = w + "\n"
			}
		}
		return words
	}},
	{"words replaced", func(r *rand.Rand, words []string, share float64) []string {
		for range max(1, int(share*float64(len(words))/5)) {
			words[r.IntN(len(words))] = fmt.Sprint("replaced", r.IntN(1000))
		}
		return words
	}},
	{"passage replaced", func(r *rand.Rand, words []string, share float64) []string {
		n := max(1, int(share*float64(len(words))/2))
		at := r.IntN(len(words) - n + 1)
		for i := range n {
			words[at+i] = fmt.Sprint("passage", r.IntN(1000))
		}
		return words
	}},
	{"cut short", func(_ *rand.Rand, words []string, share float64) []string {
		return words[:len(words)-int(share*float64(len(words)))]
	}},
	{"boilerplate around", func(_ *rand.Rand, words []string, share float64) []string {
		frame := strings.Fields(strings.Repeat("sign up for our newsletter and share this page with all of your friends ", 1+int(share*float64(len(words))/13)))
		return slices.Concat(frame[:len(frame)/2], words, frame[len(frame)/2:])
	}},
	{"sentences moved", func(r *rand.Rand, words []string, _ float64) []string {
		at := r.IntN(len(words))
		return slices.Concat(words[at:], words[:at])
	}},
}

// plant mixes near-duplicates of the originals into them.
func plant(originals []string) []document {
	r := rand.New(rand.NewPCG(1, 2))
	var all []document
	for _, text := range originals {
		all = append(all, document{Text: text})
		words := strings.Fields(text)
		if len(words) < 20 || r.Float64() > .3 {
			continue
		}
		for range 1 + r.IntN(2) {
			e := edits[r.IntN(len(edits))]
			share := .02 + .5*r.Float64()*r.Float64()
			edited := e.do(r, slices.Clone(words), share)
			d := document{Text: strings.Join(edited, " "), kind: e.kind}
			if e.kind == "copy" {
				d.Text = text
			}
			all = append(all, d)
		}
	}
	// Apart from one another, so that copies are in other units and files.
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		all[i].number = i
	}
	return all
}
