package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// making is a directory as its writer leaves it after so many units.
type making struct {
	dir   string
	whole *Dataset
	units [][]ShardInfo
}

// take makes a directory in which nothing of a data set has been made yet.
func take(t testing.TB, whole *Dataset) *making {
	t.Helper()
	m := &making{dir: t.TempDir(), whole: whole}
	for _, s := range whole.manifest.Shards {
		var unit int
		if _, err := fmt.Sscanf(s.File, s.Split+"-%d", &unit); err != nil {
			t.Fatal(err)
		}
		for len(m.units) <= unit {
			m.units = append(m.units, nil)
		}
		m.units[unit] = append(m.units[unit], s)
		data, err := os.ReadFile(filepath.Join(whole.dir, s.File))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(m.dir, s.File), string(data)) // what has no record does not exist
	}
	m.restart(t)
	return m
}

// restart goes back to before the first unit.
func (m *making) restart(t testing.TB) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(filepath.Join(m.dir, workDir)), os.RemoveAll(filepath.Join(m.dir, manifestName))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(m.dir, workDir, planName), string(marshal(m.whole.manifest.Plan)))
	write(t, filepath.Join(m.dir, lockName), "process 1")
}

// record notes that a unit is done.
func (m *making) record(t testing.TB, unit int) {
	t.Helper()
	write(t, filepath.Join(m.dir, recordName(unit)), string(marshal(record{Shards: m.units[unit]})))
}

// finish writes the manifest and takes away what a writer takes away.
func (m *making) finish(t testing.TB) {
	t.Helper()
	write(t, filepath.Join(m.dir, manifestName), string(m.whole.manifest.encode()))
	if err := errors.Join(os.RemoveAll(filepath.Join(m.dir, workDir)), os.Remove(filepath.Join(m.dir, lockName))); err != nil {
		t.Fatal(err)
	}
}

func followed(t rapidOrTest, dir string, o StreamOptions) *Stream {
	t.Helper()
	d, err := Follow(context.Background(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Follow = true
	s, err := d.Stream(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// However the data set grows, in whatever order its units are finished, and
// however often readers leave and others, of another number, go on: the windows
// are those of a stream that follows a data set which was finished all along.
func TestFollowingDoesNotDependOnTime(t *testing.T) {
	whole := numbered(t, 14, 40)
	m := take(t, whole)
	rapid.Check(t, func(r *rapid.T) {
		m.restart(t)
		o := StreamOptions{Length: rapid.IntRange(3, 30).Draw(r, "length"), Seed: rapid.Uint64().Draw(r, "seed")}
		want := followed(r, whole.dir, o)
		defer want.Close()
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}).Draw(r, "order")
		cursor, finished := Cursor{Seed: o.Seed}, false
		for given := 0; given < 3*want.Windows()/2; {
			for range rapid.IntRange(0, 9).Draw(r, "units") {
				if len(order) > 0 {
					m.record(t, order[0])
					order = order[1:]
				}
			}
			if len(order) == 0 && !finished {
				m.finish(t)
				finished = true
			}
			size := rapid.IntRange(1, 4).Draw(r, "readers")
			var readers []*Stream
			for rank := range size {
				o.Rank, o.World = rank, size
				s := followed(r, m.dir, o)
				if err := s.Seek(cursor); err != nil {
					r.Fatal(err)
				}
				readers = append(readers, s)
			}
			o.Rank, o.World = 0, 0
			for range rapid.IntRange(1, 40).Draw(r, "rounds") {
				// Readers step together: a round is begun if its last window is there.
				if _, there := readers[size-1].place(size - 1); !there {
					if _, err := readers[size-1].look(); err != nil {
						r.Fatal(err)
					}
					if err := readers[size-1].Next(make([]int32, o.Length)); !errors.Is(err, ErrPending) {
						r.Fatalf("window beyond what is made: %v", err)
					}
					break
				}
				for rank, s := range readers {
					if got, want := next(r, s, o.Length), next(r, want, o.Length); !slices.Equal(got, want) {
						r.Fatalf("reader %d of %d gives %v behind %+v, want %v", rank, size, got, cursor, want)
					}
					given++
				}
				cursor = readers[0].Cursor()
			}
			for _, s := range readers {
				s.Close()
			}
			if cursor != want.Cursor() {
				r.Fatalf("cursor %+v, want %+v", cursor, want.Cursor())
			}
		}
	})
}

// Every window of the first epoch of a stream that follows comes once, and the
// epochs after it are those of a stream that does not.
func TestFollowedEpochs(t *testing.T) {
	d := numbered(t, 9, 31)
	o := StreamOptions{Length: 5, Seed: 8}
	s, usual := followed(t, d.dir, o), open(t, d, o)
	defer s.Close()
	seen := map[int32]bool{}
	for range s.Windows() {
		for _, id := range next(t, s, 5) {
			if seen[id] {
				t.Fatalf("token %d was given twice", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 5*usual.Windows() {
		t.Errorf("%d tokens in the first epoch, want %d windows of 5", len(seen), usual.Windows())
	}
	if err := usual.Seek(Cursor{Epoch: 1, Seed: 8}); err != nil {
		t.Fatal(err)
	}
	for range 2 * s.Windows() {
		if got, want := next(t, s, 5), next(t, usual, 5); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// A writer and a reader at the same time.
func TestFollowAWriter(t *testing.T) {
	source := prose(t, 200<<10)
	options := func(out string) Options {
		return Options{
			Sources: []string{source}, Out: out, Split: SplitBlank, ShardSize: 8 << 10, Val: .1, Workers: 3,
			Encoder: bytesEncoder{}, TokenizerJSON: bytesEncoder{}.JSON(),
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	written := make(chan error, 1)
	go func() {
		o := options(out)
		o.FS.Before = func(op, path string) error { // a slow disk
			if op == "rename" {
				pauses := rng.New(1, path, 0, 0)
				time.Sleep(time.Duration(pauses.IntN(int(10 * time.Millisecond))))
			}
			return nil
		}
		_, _, err := Shard(context.Background(), o)
		written <- err
	}()
	var d *Dataset
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		var err error
		if d, err = Follow(t.Context(), out, nil); err == nil {
			if _, err = d.Tokenizer(); err == nil {
				break
			}
		}
		if !errors.Is(err, safeio.ErrNotFound) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if d.finished {
		t.Error("the data set was finished before it could be followed")
	}
	s := open(t, d, StreamOptions{Length: 64, Seed: 4, Follow: true})
	finished, _ := shard(t, options(filepath.Join(t.TempDir(), "again")))
	want := open(t, finished, StreamOptions{Length: 64, Seed: 4, Follow: true})
	for range want.Windows() * 3 / 2 {
		if err := s.Wait(t.Context(), 1, func() {}); err != nil {
			t.Fatal(err)
		}
		if got, want := next(t, s, 64), next(t, want, 64); !slices.Equal(got, want) {
			t.Fatalf("window behind %+v: %v, want %v", s.Cursor(), got, want)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

func TestWait(t *testing.T) {
	whole := numbered(t, 6, 40)
	m := take(t, whole)
	for unit := range 5 {
		m.record(t, unit)
	}
	s := followed(t, m.dir, StreamOptions{Length: 10})
	defer s.Close()
	group := s.Windows() // the fifth unit begins another
	limited, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	none := func() { t.Error("waits for what is there") }
	if err := s.Wait(limited, group, none); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(limited)
	why := errors.New("enough")
	if err := s.Wait(ctx, group+1, func() { cancel(why) }); !errors.Is(err, why) {
		t.Errorf("interrupted: %v", err)
	}
	// The writer leaves.
	if err := os.Remove(filepath.Join(m.dir, lockName)); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(limited, group+1, none); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("without a writer: %v", err)
	}
	// It comes back and finishes.
	write(t, filepath.Join(m.dir, lockName), "process 2")
	if err := s.Wait(limited, group+1, func() { m.finish(t) }); err != nil {
		t.Error(err)
	}
	if want := open(t, whole, StreamOptions{Length: 10}).Windows(); s.Windows() != want || group >= want {
		t.Errorf("%d windows an epoch behind %d in a group, want %d", s.Windows(), group, want)
	}
}

// A stream that does not follow is of a finished data set, and one that follows
// of that which it began with.
func TestFollowRefuses(t *testing.T) {
	if _, err := Follow(t.Context(), t.TempDir(), nil); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("an empty directory: %v", err)
	}
	whole := numbered(t, 6, 40)
	m := take(t, whole)
	d, err := Follow(t.Context(), m.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Stream(StreamOptions{Length: 10}); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("a stream that does not follow: %v", err)
	}
	for name, c := range map[string]struct {
		change func()
		kind   error
	}{
		"damaged record": {func() { write(t, filepath.Join(m.dir, recordName(0)), "{") }, safeio.ErrCorrupt},
		"path in record": {func() {
			write(t, filepath.Join(m.dir, recordName(0)), `{"shards":[{"file":"../train-00000.parquet","split":"train","documents":1}]}`)
		}, safeio.ErrCorrupt},
		"another data set": {func() {
			other := *whole.manifest
			other.Plan.Corpus.SHA256 = "other"
			write(t, filepath.Join(m.dir, manifestName), string(other.encode()))
		}, safeio.ErrMismatch},
		"other shards": {func() {
			m.record(t, 0)
			other := *whole.manifest
			other.Shards = slices.Clone(other.Shards[1:])
			s, err := d.Stream(StreamOptions{Length: 10, Follow: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			write(t, filepath.Join(m.dir, manifestName), string(other.encode()))
			if _, err := s.look(); !errors.Is(err, safeio.ErrMismatch) {
				t.Errorf("look: %v", err)
			}
			write(t, filepath.Join(m.dir, manifestName), "{")
		}, safeio.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			m.restart(t)
			c.change()
			s, err := d.Stream(StreamOptions{Length: 10, Follow: true})
			if err == nil {
				s.Close()
			}
			if !errors.Is(err, c.kind) {
				t.Errorf("error = %v", err)
			}
		})
	}
}
