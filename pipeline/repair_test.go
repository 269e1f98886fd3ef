package pipeline

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

func TestRepair(t *testing.T) {
	source := prose(t, 60<<10)
	for _, dedup := range []string{"", DedupNear} {
		made := Options{
			Sources: []string{source}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitBlank, Val: .2, Test: .1,
			ShardSize: 20000, Dedup: dedup, Similarity: .3, TokenizerJSON: bytesEncoder{}.JSON(),
		}
		shard(t, made)
		want := contents(t, made.Out)
		in := func(name string) string { return filepath.Join(made.Out, name) }
		for name, c := range map[string]struct {
			damage  func() error
			sources []string
			rebuilt []string
			other   bool // tokenizer
		}{
			"nothing": {damage: func() error { return nil }},
			"flipped bit": {
				damage:  func() error { return flip(in("train-00001.parquet"), 1000) },
				sources: []string{source}, rebuilt: []string{"train-00001.parquet"},
			},
			"several": {
				damage: func() error {
					return errors.Join(os.Remove(in("val-00000.parquet")), os.Truncate(in("test-00002.parquet"), 9))
				},
				sources: []string{source}, rebuilt: []string{"val-00000.parquet", "test-00002.parquet"},
			},
			"all": {
				damage: func() error {
					var err error
					for name := range want {
						if shardName.MatchString(name) {
							err = errors.Join(err, os.Remove(in(name)))
						}
					}
					return err
				},
				sources: []string{source},
			},
			"missing tokenizer": {damage: func() error { return os.Remove(in(tokenizerName)) }, other: true},
			"damaged tokenizer": {damage: func() error { return flip(in(tokenizerName), 3) }, other: true},
			"leftovers": {damage: func() error {
				return errors.Join(os.WriteFile(in(".tmp-1"), nil, 0o666), os.MkdirAll(in(".work/x"), 0o777))
			}},
		} {
			t.Run(name+" "+dedup, func(t *testing.T) {
				whole := map[string]os.FileInfo{}
				for name := range want {
					whole[name], _ = os.Stat(in(name))
				}
				if err := c.damage(); err != nil {
					t.Fatal(err)
				}
				r, err := Repair(t.Context(), Options{Out: made.Out, Sources: c.sources, Encoder: bytesEncoder{}, TokenizerJSON: bytesEncoder{}.JSON(), Workers: 2})
				if err != nil {
					t.Fatal(err)
				}
				if name != "all" && !slices.Equal(r.Rebuilt, c.rebuilt) || r.Tokenizer != c.other || len(r.Foreign) > 0 {
					t.Errorf("repairs = %+v", r)
				}
				if names := differences(want, contents(t, made.Out)); len(names) > 0 {
					t.Errorf("%v differ", names)
				}
				for name, info := range whole {
					now, _ := os.Stat(in(name))
					if !slices.Contains(r.Rebuilt, name) && !(name == tokenizerName && r.Tokenizer) && !os.SameFile(info, now) {
						t.Errorf("%s was whole and is written again", name)
					}
				}
			})
		}
	}
}

func TestRepairRefuses(t *testing.T) {
	source := prose(t, 30<<10)
	made := Options{Sources: []string{source}, Out: filepath.Join(t.TempDir(), "out"), Split: SplitBlank, Val: .2, ShardSize: 20000, TokenizerJSON: bytesEncoder{}.JSON()}
	shard(t, made)
	if err := flip(filepath.Join(made.Out, "train-00000.parquet"), 1000); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(made.Out, "notes"), "mine")
	write(t, filepath.Join(made.Out, "val-00077.parquet"), "not in the manifest")
	before := contents(t, made.Out)
	for name, c := range map[string]struct {
		options Options
		kind    error
		says    string
	}{
		"no corpus":          {Options{Encoder: bytesEncoder{}}, safeio.ErrCorrupt, `"train-00000.parquet" is damaged or gone`},
		"another corpus":     {Options{Sources: []string{prose(t, 31<<10)}, Encoder: bytesEncoder{}}, safeio.ErrMismatch, "another corpus"},
		"a corpus not there": {Options{Sources: []string{"nowhere"}, Encoder: bytesEncoder{}}, safeio.ErrNotFound, "nowhere"},
		"another tokenizer":  {Options{Sources: []string{source}, Encoder: bytesEncoder{shift: 1}}, safeio.ErrMismatch, "another tokenizer"},
		"no tokenizer":       {Options{Sources: []string{source}}, safeio.ErrCorrupt, "no tokenizer is given"},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.options
			o.Out = made.Out
			if _, err := Repair(t.Context(), o); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want %v that says %q", err, c.kind, c.says)
			}
			if names := differences(before, contents(t, made.Out)); len(names) > 0 {
				t.Errorf("%v changed", names)
			}
		})
	}
	if _, err := Repair(t.Context(), Options{Out: t.TempDir()}); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("no data set: error = %v", err)
	}
	// Another encoder behind the same hash: what would come out is not written.
	_, err := Repair(t.Context(), Options{Out: made.Out, Sources: []string{source}, Encoder: impostor{}})
	if !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("error = %v, want a mismatch", err)
	}
	r, err := Repair(t.Context(), Options{Out: made.Out, Sources: []string{source}, Train: func(iter.Seq[string]) (Encoder, []byte, error) {
		return bytesEncoder{}, bytesEncoder{}.JSON(), nil
	}})
	if err != nil || !slices.Equal(r.Foreign, []string{"notes", "val-00077.parquet"}) {
		t.Errorf("repairs %+v, %v", r, err)
	}
	if err := check(t, made.Out); err != nil {
		t.Error(err)
	}
}

// impostor says that it is bytesEncoder.
type impostor struct{ bytesEncoder }

func (impostor) Encode(dst []int32, text string) []int32 { return append(dst, int32(len(text)%256)) }
