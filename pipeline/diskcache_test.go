package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// cacheEnv makes the test binary a reader of a data set through a cache.
const cacheEnv = "PIPELINE_TEST_CACHE"

type cacheChild struct {
	Data, Cache string
	Budget      int64
	Windows     int
}

// readCached reads windows as a process of its own and prints a sum of them.
func readCached(spec string) error {
	var c cacheChild
	if err := json.Unmarshal([]byte(spec), &c); err != nil {
		return err
	}
	cached, err := OpenDiskCache(c.Cache, c.Budget)
	if err != nil {
		return err
	}
	d, err := OpenAt(context.Background(), c.Data, cached)
	if err != nil {
		return err
	}
	s, err := d.Stream(StreamOptions{Length: 16, Seed: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	sum, dst := uint64(0), make([]int32, 16)
	for range c.Windows {
		if err := s.Next(dst); err != nil {
			return err
		}
		for _, id := range dst {
			sum = sum*31 + uint64(id)
		}
	}
	fmt.Println(sum)
	return nil
}

// stock is a store that counts what is fetched and can be told to fail.
type stock struct {
	Store
	opened atomic.Int64
	spoil  func(name string, n int64, r io.ReadCloser) (io.ReadCloser, error)
}

func (s *stock) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := s.Store.Open(ctx, name)
	if strings.HasSuffix(name, ".json") || err != nil {
		return r, err
	}
	if n := s.opened.Add(1); s.spoil != nil {
		return s.spoil(name, n, r)
	}
	return r, nil
}

// cachedBytes sums the files of a cache and fails where something is left over.
func cachedBytes(t *testing.T, dir string) (sum int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != roomName && !copyName.MatchString(e.Name()) {
			t.Errorf("%s is left over", e.Name())
		}
		sum += info.Size()
	}
	return sum
}

func through(t *testing.T, d *Dataset, s Store, budget int64) (*Dataset, *DiskCache) {
	t.Helper()
	c, err := OpenDiskCache(filepath.Join(t.TempDir(), "cache"), budget)
	if err != nil {
		t.Fatal(err)
	}
	c.pauses = []time.Duration{0, 0}
	far, err := OpenStore(t.Context(), "far", s, c)
	if err != nil {
		t.Fatal(err)
	}
	return far, c
}

// Windows through a cache are those of the directory, in either format and
// however small the cache; a shard is fetched once while there is room.
func TestCachedWindows(t *testing.T) {
	for _, format := range []string{FormatParquet, FormatArrow} {
		d, _ := shard(t, Options{Sources: []string{prose(t, 100<<10)}, Split: SplitBlank, Format: format, ShardSize: 8 << 10})
		all := d.manifest.Totals("")
		for name, budget := range map[string]int64{"all fits": all.Bytes, "three shards fit": 3 * all.Bytes / int64(all.Shards)} {
			t.Run(format+" "+name, func(t *testing.T) {
				store := &stock{Store: DirStore(d.dir)}
				far, c := through(t, d, store, budget)
				got, want := open(t, far, StreamOptions{Length: 50}), open(t, d, StreamOptions{Length: 50})
				for range 2 * want.Windows() {
					if a, b := next(t, got, 50), next(t, want, 50); !slices.Equal(a, b) {
						t.Fatalf("%v, want %v", a, b)
					}
				}
				got.Close()
				if n := cachedBytes(t, c.dir); n > budget {
					t.Errorf("%d bytes in a cache of %d", n, budget)
				}
				if n := int(store.opened.Load()); budget == all.Bytes && n != all.Shards {
					t.Errorf("%d shards were fetched %d times", all.Shards, n)
				}
				if docs(t, far, "")[0].Text != docs(t, d, "")[0].Text {
					t.Error("other documents")
				}
			})
		}
	}
}

// Any number of processes share a cache: each shard is fetched once, and the
// directory stays within its budget all the time.
func TestCacheIsShared(t *testing.T) {
	d := numbered(t, 12, 300)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var fetched atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".parquet") {
			fetched.Add(1)
		}
		http.ServeFile(w, r, filepath.Join(d.dir, filepath.Base(r.URL.Path)))
	}))
	defer server.Close()
	all := d.manifest.Totals("")
	for name, budget := range map[string]int64{"all fits": all.Bytes, "few fit": 4 * all.Bytes / int64(all.Shards)} {
		t.Run(name, func(t *testing.T) {
			fetched.Store(0)
			dir := t.TempDir()
			spec := string(marshal(cacheChild{server.URL + "/data", dir, budget, 400}))
			var wg sync.WaitGroup
			var mu sync.Mutex
			sums := map[string]int{}
			for range 4 {
				wg.Go(func() {
					cmd := exec.Command(self)
					cmd.Env = append(os.Environ(), cacheEnv+"="+spec)
					var stderr bytes.Buffer
					cmd.Stderr = &stderr
					out, err := cmd.Output()
					if err != nil {
						t.Errorf("%v: %s", err, stderr.String())
					}
					mu.Lock()
					sums[string(out)]++
					mu.Unlock()
				})
			}
			done := make(chan struct{})
			go func() { wg.Wait(); close(done) }()
			for watching := true; watching; {
				select {
				case <-done:
					watching = false
				case <-time.After(time.Millisecond):
				}
				// Room is given under a lock; without it the sum would be of several moments.
				room, err := lockFile(t.Context(), filepath.Join(dir, roomName))
				if err != nil {
					t.Error(err)
					break
				}
				var sum int64
				entries, _ := os.ReadDir(dir)
				for _, e := range entries {
					if info, err := e.Info(); err == nil {
						sum += info.Size()
					}
				}
				room.Close()
				if sum > budget {
					t.Errorf("%d bytes in a cache of %d", sum, budget)
				}
			}
			if len(sums) != 1 {
				t.Errorf("the processes read %d different things", len(sums))
			}
			if n := int(fetched.Load()); budget == all.Bytes && n != all.Shards {
				t.Errorf("%d shards were fetched %d times", all.Shards, n)
			}
		})
	}
}

// The copy that was wanted longest ago goes first.
func TestCacheRemovesTheOldest(t *testing.T) {
	d := numbered(t, 3, 50)
	store := &stock{Store: DirStore(d.dir)}
	shards := d.shards("")
	far, c := through(t, d, store, shards[0].Bytes+shards[1].Bytes+shards[2].Bytes-1)
	get := func(i int) {
		t.Helper()
		file, err := far.files.shard(t.Context(), shards[i])
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	there := func(i int) bool {
		_, err := os.Stat(filepath.Join(c.dir, shards[i].SHA256))
		return err == nil
	}
	get(0)
	get(1)
	long := time.Now().Add(-time.Hour)
	for i := range 2 {
		os.Chtimes(filepath.Join(c.dir, shards[i].SHA256), long, long)
	}
	get(0) // wanted again
	get(2)
	if !there(0) || there(1) || !there(2) {
		t.Errorf("there are 0: %v, 1: %v, 2: %v; want all but 1", there(0), there(1), there(2))
	}
}

// What a store does wrong is tried again, then an error of its kind; what a cache
// holds wrong is fetched again.
func TestSpoiledCopies(t *testing.T) {
	d := small(t, FormatParquet)
	flipped := func(r io.ReadCloser) io.ReadCloser {
		data, _ := io.ReadAll(r)
		data[100] ^= 1
		return io.NopCloser(bytes.NewReader(data))
	}
	for name, c := range map[string]struct {
		spoil func(name string, n int64, r io.ReadCloser) (io.ReadCloser, error)
		kind  error // nil: it passes
		tries int64
	}{
		"fails once":   {func(_ string, n int64, r io.ReadCloser) (io.ReadCloser, error) { return r, fail(n == 1) }, nil, 2},
		"flipped once": {func(_ string, n int64, r io.ReadCloser) (io.ReadCloser, error) { return pick(n == 1, flipped, r), nil }, nil, 2},
		"fails":        {func(_ string, _ int64, r io.ReadCloser) (io.ReadCloser, error) { return r, fail(true) }, errFailed, 3},
		"flipped":      {func(_ string, _ int64, r io.ReadCloser) (io.ReadCloser, error) { return flipped(r), nil }, safeio.ErrCorrupt, 3},
		"cut": {func(_ string, _ int64, r io.ReadCloser) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(r, 50)), nil
		}, safeio.ErrCorrupt, 3},
		"endless": {func(string, int64, io.ReadCloser) (io.ReadCloser, error) { return io.NopCloser(zeros{}), nil }, safeio.ErrCorrupt, 3},
		"gone": {func(string, int64, io.ReadCloser) (io.ReadCloser, error) {
			return nil, safeio.ErrNotFound
		}, safeio.ErrNotFound, 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := &stock{Store: DirStore(d.dir), spoil: c.spoil}
			far, cached := through(t, d, store, 1<<20)
			s := open(t, far, StreamOptions{Length: 4})
			err := s.Next(make([]int32, 4))
			s.Close()
			if !errors.Is(err, c.kind) {
				t.Errorf("error = %v", err)
			}
			if n := store.opened.Load(); n < c.tries || c.kind == nil && n != c.tries {
				t.Errorf("%d tries, want %d", n, c.tries)
			}
			cachedBytes(t, cached.dir)
		})
	}
	store := &stock{Store: DirStore(d.dir)}
	far, c := through(t, d, store, 1<<20)
	info := d.shards(TrainSplit)[0]
	for range 2 {
		circle, err := far.load(t.Context(), info)
		if err != nil {
			t.Fatal(err)
		}
		circle.close()
		if err := flip(filepath.Join(c.dir, info.SHA256), 500); err != nil {
			t.Fatal(err)
		}
	}
	if n := store.opened.Load(); n != 2 {
		t.Errorf("a damaged copy was fetched %d times", n)
	}
}

var errFailed = errors.New("no route")

func fail(now bool) error {
	if now {
		return errFailed
	}
	return nil
}

func pick(now bool, change func(io.ReadCloser) io.ReadCloser, r io.ReadCloser) io.ReadCloser {
	if now {
		return change(r)
	}
	return r
}

// A store that stops giving bytes is left, and so is a wait that the context
// ends.
func TestStalledStore(t *testing.T) {
	d := small(t, FormatParquet)
	stall := func(ctx context.Context) (io.ReadCloser, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c, err := OpenDiskCache(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	c.patience, c.pauses = 10*time.Millisecond, nil
	info := d.shards(TrainSplit)[0]
	if _, err := c.get(t.Context(), info, stall); err == nil || !strings.Contains(err.Error(), "nothing came for 10ms") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error = %v", err)
	}
	part, err := lockFile(t.Context(), filepath.Join(c.dir, partPrefix+info.SHA256)) // another process fetches it
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.get(ctx, info, stall); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
}

// Nothing that is not the cache's is removed, and what a dead process left is.
func TestCacheCleansUp(t *testing.T) {
	d := numbered(t, 3, 50)
	shards := d.shards("")
	store := &stock{Store: DirStore(d.dir)}
	far, c := through(t, d, store, shards[0].Bytes)
	write(t, filepath.Join(c.dir, "notes.txt"), strings.Repeat("mine ", 1000))
	write(t, filepath.Join(c.dir, partPrefix+strings.Repeat("a", 64)), strings.Repeat("left ", 1000))
	file, err := far.files.shard(t.Context(), shards[0])
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{roomName, shards[0].SHA256, "notes.txt"}; !slices.Equal(names, want) {
		t.Errorf("the cache holds %v, want %v", names, want)
	}
	// A shard that is larger than the cache is refused.
	c.budget--
	if err := os.Remove(filepath.Join(c.dir, shards[0].SHA256)); err != nil {
		t.Fatal(err)
	}
	if _, err := far.files.shard(t.Context(), shards[0]); !errors.Is(err, safeio.ErrLimit) {
		t.Errorf("error = %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for address, works := range map[string]bool{
		"shards": true, "/a/b": true, "http://host/a": true, "https://host": true, "ftp://host/a": false, "http://[": false,
	} {
		if _, err := StoreAt(t.Context(), address); (err == nil) != works {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := OpenAt(t.Context(), "http://host/a", nil); err == nil {
		t.Error("an address without a cache")
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c, err := OpenDiskCache(t.TempDir(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAt(t.Context(), server.URL, c); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("a server without a data set: %v", err)
	}
}
