package trainer

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// given makes every row of the table its number, counted from 1.
func given(m *Model, _ timewarp.Warp) error {
	for i := range m.Table.W {
		m.Table.W[i] = float32(1 + i/m.Table.D)
	}
	return nil
}

// TestFrozenTable: a table that is given and frozen is the same after any number of
// steps, the network learns, and the run resumes to the byte.
func TestFrozenTable(t *testing.T) {
	stream := shards(t)
	settings := func() *Settings {
		s := tiny(t, stream)
		if err := s.Set("model.freeze_embeddings", "true", "test"); err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole := filepath.Join(t.TempDir(), "run")
	tr := begin(t, whole, settings(), 2, Options{Init: given})
	table := slices.Clone(tr.model.Table.W)
	network := slices.Clone(tr.model.Params[len(table):])
	finish(t, tr)
	if !slices.Equal(tr.model.Table.W, table) || !slices.Equal(tr.average.Table.W, table) || table[0] != 1 {
		t.Error("the table has changed")
	}
	if slices.Equal(tr.model.Params[len(table):], network) {
		t.Error("the network has not changed")
	}

	dir := filepath.Join(t.TempDir(), "run")
	tr = begin(t, dir, settings(), 1, Options{Init: given})
	for tr.Step() < 10 { // behind the checkpoint of step 7
		if err := errors.Join(tr.step(), tr.record()); err != nil {
			t.Fatal(err)
		}
	}
	tr.Close()
	finish(t, resume(t, dir, Options{}))
	compare(t, contents(t, whole), contents(t, dir))
}

// TestGivenStart: what Init gives is what the first checkpoint has, of weights and
// average; a run whose Init fails is not begun.
func TestGivenStart(t *testing.T) {
	stream := shards(t)
	dir := filepath.Join(t.TempDir(), "run")
	begin(t, dir, tiny(t, stream), 1, Options{Init: given}).Close()
	pool := kernels.NewPool(1)
	defer pool.Close()
	m, err := Load(dir, pool)
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Model.Table.W; m.Step != 0 || w[0] != 1 || w[len(w)-1] != float32(m.Model.Table.V) {
		t.Errorf("step %d, rows from %g to %g", m.Step, w[0], w[len(w)-1])
	}
	tr := resume(t, dir, Options{})
	defer tr.Close()
	if !slices.Equal(tr.model.Params, m.Model.Params) {
		t.Error("weights and average differ at the start")
	}

	s := tiny(t, stream)
	data, err := OpenData(s.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	dir = filepath.Join(t.TempDir(), "run")
	if _, err := Start(dir, s, data, Options{Pool: pool, Init: func(*Model, timewarp.Warp) error { return failed }}); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if _, err := ReadConfig(dir); err == nil || !strings.Contains(err.Error(), "no run") {
		t.Errorf("the run exists: %v", err)
	}
}
