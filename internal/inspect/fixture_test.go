package inspect

import (
	"bytes"
	"slices"
	"testing"

	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// preset is the configuration of a run.
func preset(t testing.TB) string {
	t.Helper()
	s, err := trainer.NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// tokenizer is one of a few characters.
func tokenizer(t testing.TB) string {
	t.Helper()
	tok, err := tokenize.TrainChar(slices.Values([]string{"abc <>"}))
	if err != nil {
		t.Fatal(err)
	}
	return string(tok.JSON())
}
