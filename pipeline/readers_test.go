package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// world opens readers of one stream.
func world(t rapidOrTest, d *Dataset, o StreamOptions, size int, at Cursor) []*Stream {
	t.Helper()
	readers := make([]*Stream, size)
	for rank := range readers {
		o.Rank, o.World = rank, size
		s, err := d.Stream(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Seek(at); err != nil {
			t.Fatal(err)
		}
		readers[rank] = s
	}
	return readers
}

type rapidOrTest interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// Whatever the number of readers, and however often it changes on the way, the
// windows of an epoch come in one order, each once.
func TestReadersShareOneOrder(t *testing.T) {
	d := numbered(t, 9, 31)
	rapid.Check(t, func(t *rapid.T) {
		o := StreamOptions{Length: rapid.IntRange(3, 30).Draw(t, "length"), Seed: rapid.Uint64().Draw(t, "seed")}
		all, err := d.Stream(o)
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		cursor := Cursor{
			Epoch: rapid.IntRange(0, 2).Draw(t, "epoch"), Index: rapid.IntRange(0, all.Windows()-1).Draw(t, "index"), Seed: o.Seed,
		}
		if err := all.Seek(cursor); err != nil {
			t.Fatal(err)
		}
		for given := 0; given < 2*all.Windows(); {
			size := rapid.IntRange(1, 8).Draw(t, "readers")
			rounds := rapid.IntRange(1, 30).Draw(t, "rounds")
			readers := world(t, d, o, size, cursor)
			for range rounds {
				for rank, s := range readers {
					if got, want := next(t, s, o.Length), next(t, all, o.Length); !slices.Equal(got, want) {
						t.Fatalf("reader %d of %d gives %v behind %+v, one reader %v", rank, size, got, cursor, want)
					}
				}
			}
			cursor = all.Cursor()
			for rank, s := range readers {
				if s.Cursor() != cursor {
					t.Fatalf("cursor of reader %d of %d is %+v, of one reader %+v", rank, size, s.Cursor(), cursor)
				}
				s.Close()
			}
			given += size * rounds
		}
	})
}

// A batch of 24 windows is the same windows for each world that divides it, in
// readers that run at the same time.
func TestBatchesDoNotDependOnTheWorld(t *testing.T) {
	const batch, batches, length = 24, 12, 11
	d := numbered(t, 9, 100)
	var want [][]int32
	for _, size := range []int{1, 2, 3, 8} {
		got := make([][]int32, batch*batches)
		var wg sync.WaitGroup
		for rank, s := range world(t, d, StreamOptions{Length: length, Seed: 3}, size, Cursor{Seed: 3}) {
			wg.Go(func() {
				defer s.Close()
				for i := rank; i < len(got); i += size {
					got[i] = make([]int32, length)
					if err := s.Next(got[i]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if want == nil {
			want = got
		} else if !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%d readers have other batches than one", size)
		}
	}
}

func TestStreamRefusesReaders(t *testing.T) {
	d := small(t, FormatParquet)
	for _, o := range []StreamOptions{{Rank: 1}, {Rank: -1, World: 2}, {Rank: 2, World: 2}, {World: -1}} {
		o.Length = 2
		if s, err := d.Stream(o); err == nil {
			s.Close()
			t.Errorf("reader %d of %d: no error", o.Rank, o.World)
		}
	}
}

// Parquet that is decoded and Arrow that is mapped give the same windows.
func TestFormatsGiveTheSameWindows(t *testing.T) {
	source := corpus(t, map[string]string{"a.txt": "a\n\nbcd\nefghi\n\nj\nklmnopqrstuvwxyz\n" + "zwölf\n"})
	for _, shift := range []int32{0, 1 << 16} { // of 16 and of 32 bits
		var streams []*Stream
		for _, format := range []string{FormatParquet, FormatArrow} {
			d, _ := shard(t, Options{Sources: []string{source}, Split: SplitLine, Format: format, Encoder: bytesEncoder{shift}})
			streams = append(streams, open(t, d, StreamOptions{Length: 3, Seed: 9}))
		}
		for i := range 10 * streams[0].Windows() {
			if parquet, arrow := next(t, streams[0], 3), next(t, streams[1], 3); !slices.Equal(parquet, arrow) {
				t.Fatalf("window %d is %v in Parquet and %v in Arrow", i, parquet, arrow)
			}
		}
	}
}

// The tokens of a mapped shard are those of the file, not a copy.
func TestArrowIsNotCopied(t *testing.T) {
	d := small(t, FormatArrow)
	c, err := d.load(t.Context(), d.shards(TrainSplit)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	m := c.(*mapped[uint16])
	for _, b := range m.blocks {
		if inside := contains(m.data, b.values); !inside {
			t.Error("the tokens of a batch are not in the mapping")
		}
	}
}

// A mapped file that is cut short, or written to, is an error of the read, not
// the end of the process.
func TestMappedFileThatChanges(t *testing.T) {
	for name, change := range map[string]func(path string, size int64) error{
		"cut short": func(path string, _ int64) error { return os.Truncate(path, 0) },
		"overwritten": func(path string, size int64) error {
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = file.Write(slices.Repeat([]byte{0xff}, int(size)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := small(t, FormatArrow)
			s := open(t, d, StreamOptions{Length: 4})
			next(t, s, 4)
			info := d.shards(TrainSplit)[0]
			if err := change(filepath.Join(d.dir, info.File), info.Bytes); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := s.Next(make([]int32, 4)); !errors.Is(err, safeio.ErrCorrupt) {
					t.Errorf("error = %v", err)
				}
			}
		})
	}
}

// contains says whether all values are in the memory of data.
func contains(data []byte, values []uint16) bool {
	if len(values) == 0 {
		return true
	}
	address := func(p unsafe.Pointer) uintptr { return uintptr(p) }
	from, to := address(unsafe.Pointer(&data[0])), address(unsafe.Pointer(&data[len(data)-1]))
	first, last := address(unsafe.Pointer(&values[0])), address(unsafe.Pointer(&values[len(values)-1]))
	return from <= first && last <= to
}
