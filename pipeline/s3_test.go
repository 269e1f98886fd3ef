package pipeline

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// objects is an S3 server in this process.
type objects struct {
	*s3mem.Backend
	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) bool // false: has answered
	puts   []string
}

func newObjects(t *testing.T) *objects {
	t.Helper()
	o := &objects{Backend: s3mem.New()}
	if err := o.CreateBucket("texts"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(o.Backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		before := o.before
		if r.Method == http.MethodPut {
			o.puts = append(o.puts, strings.TrimPrefix(r.URL.Path, "/texts/"))
		}
		o.mu.Unlock()
		if before == nil || before(w, r) {
			fake.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	return o
}

// intercept has a function see each request first, and returns what was put until
// then.
func (o *objects) intercept(before func(http.ResponseWriter, *http.Request) bool) (puts []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.before, puts, o.puts = before, o.puts, nil
	return puts
}

func (o *objects) put(t *testing.T, key, text string) {
	t.Helper()
	if _, err := o.PutObject("texts", key, map[string]string{"Last-Modified": "Tue, 24 Nov 2026 00:00:00 GMT"}, strings.NewReader(text), int64(len(text)), nil); err != nil {
		t.Fatal(err)
	}
}

// upload puts the files of a directory below a prefix.
func (o *objects) upload(t *testing.T, dir, prefix string) {
	t.Helper()
	for name, data := range contents(t, dir) {
		if data != "directory" {
			o.put(t, prefix+filepath.ToSlash(name), data)
		}
	}
}

// below maps the names of the objects below a prefix to their bytes.
func (o *objects) below(t *testing.T, prefix string) map[string]string {
	t.Helper()
	list, err := o.ListBucket("texts", &gofakes3.Prefix{HasPrefix: true, Prefix: prefix}, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, c := range list.Contents {
		object, err := o.GetObject("texts", c.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(object.Contents)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimPrefix(c.Key, prefix)] = string(data)
	}
	return found
}

func TestBucketAsCorpus(t *testing.T) {
	server := newObjects(t)
	dir := prose(t, 60<<10)
	write(t, filepath.Join(dir, "more", "x.jsonl"), `{"text":"one"}`+"\n"+`{"text":"two"}`+"\n")
	write(t, filepath.Join(dir, "picture.png"), "no text")
	write(t, filepath.Join(dir, ".hidden", "x.txt"), "hidden")
	server.upload(t, dir, "corpus/")
	server.put(t, "corpus/marker/", "")
	server.put(t, "corpus2/other.txt", "not below the prefix")

	options := func(source string) Options {
		return Options{Sources: []string{source}, Split: SplitBlank, ShardSize: 8 << 10, Val: .1, Workers: 2}
	}
	local, _ := shard(t, options(dir))
	far, report := shard(t, options("s3://texts/corpus"))
	if d := differences(contents(t, local.dir), contents(t, far.dir)); len(d) > 0 {
		t.Errorf("files that differ from those of the same corpus on disk: %q", d)
	}
	if report.OtherFiles != 2 {
		t.Errorf("%d other files, want the picture and the hidden one", report.OtherFiles)
	}

	one, _ := shard(t, options("s3://texts/corpus/part-3.txt"))
	same, _ := shard(t, options(filepath.Join(dir, "part-3.txt")))
	if d := differences(contents(t, one.dir), contents(t, same.dir)); len(d) > 0 {
		t.Errorf("files that differ when one object is named: %q", d)
	}
}

func TestBucketAsCorpusRefusals(t *testing.T) {
	server := newObjects(t)
	server.put(t, "a.txt", strings.Repeat("text\n", 1000))
	for name, c := range map[string]struct {
		source string
		before func(http.ResponseWriter, *http.Request) bool
		kind   error
	}{
		"no such bucket": {source: "s3://nothing/x", kind: safeio.ErrNotFound},
		"no such prefix": {source: "s3://texts/x", kind: safeio.ErrNotFound},
		"no bucket":      {source: "s3://"},
		"breaks again and again": {source: "s3://texts/a.txt", before: func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || r.Header.Get("Range") == "" {
				return true
			}
			w.Header().Set("Content-Length", "5000")
			w.Header().Set("Etag", `"x"`)
			w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 00:00:00 GMT")
			w.WriteHeader(http.StatusPartialContent)
			io.WriteString(w, "text")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server.intercept(c.before)
			defer server.intercept(nil)
			_, _, err := Shard(t.Context(), Options{Sources: []string{c.source}, Out: filepath.Join(t.TempDir(), "out"), Encoder: bytesEncoder{}})
			if err == nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("error %v, want one of kind %v", err, c.kind)
			}
		})
	}
}

// A connection that breaks in the middle is taken up where it broke.
func TestBucketReadsOnAfterBreak(t *testing.T) {
	server := newObjects(t)
	text := strings.Repeat("0123456789\n", 50_000)
	server.put(t, "a.txt", text)
	b, err := openBucket(t.Context(), "s3://texts")
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.open("a.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	breaks := 0
	server.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if breaks++; breaks > 2 {
			return true
		}
		from, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
		at, _ := strconv.Atoi(from)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)-at))
		w.Header().Set("Etag", r.Header.Get("If-Match"))
		w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 00:00:00 GMT")
		w.WriteHeader(http.StatusPartialContent)
		io.WriteString(w, text[at:at+1000])
		panic(http.ErrAbortHandler)
	})
	got, err := io.ReadAll(io.NewSectionReader(o, 0, int64(len(text))))
	if err != nil || string(got) != text {
		t.Errorf("read %d bytes and %v, want %d bytes", len(got), err, len(text))
	}
	if breaks != 3 {
		t.Errorf("%d requests, want two that broke and one", breaks)
	}
}

func TestBucketAsDestination(t *testing.T) {
	server := newObjects(t)
	dir := prose(t, 60<<10)
	options := func(out, staging string) Options {
		return Options{
			Sources: []string{dir}, Out: out, Staging: staging, Split: SplitBlank, ShardSize: 8 << 10, Val: .1, Workers: 2,
			Encoder: bytesEncoder{}, TokenizerJSON: bytesEncoder{}.JSON(),
		}
	}
	local, _ := shard(t, options("", ""))
	want := contents(t, local.dir)
	staging := filepath.Join(t.TempDir(), "staging")
	run := func() error {
		_, _, err := Shard(t.Context(), options("s3://texts/set", staging))
		return err
	}
	check := func(when string) {
		t.Helper()
		if d := differences(want, server.below(t, "set/")); len(d) > 0 {
			t.Errorf("%s: objects that differ from the files of a directory: %q", when, d)
		}
		if left := contents(t, staging); len(left) > 0 {
			t.Errorf("%s: left where the work was done: %v", when, left)
		}
	}

	// The server fails at the fourth shard: three are there, and no manifest.
	n := 0
	server.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			if n++; n > 3 {
				w.WriteHeader(http.StatusForbidden)
				return false
			}
		}
		return true
	})
	if err := run(); err == nil {
		t.Fatal("no error from a server that refuses")
	}
	half := server.below(t, "set/")
	if _, ok := half[manifestName]; ok || len(half) != 3 {
		t.Errorf("%d objects after a failure, want 3 shards and no manifest", len(half))
	}
	server.intercept(nil)
	if err := run(); err != nil {
		t.Fatal(err)
	}
	check("taken up again")
	again := 0 // two workers may have been between the two shards of a unit
	puts := server.intercept(nil)
	for name := range half {
		if slices.Contains(puts, "set/"+name) {
			again++
		}
	}
	if again > 2 {
		t.Errorf("%d shards that were there were written again", again)
	}

	// Finished, and from another machine: nothing is made again but what is gone.
	staging = filepath.Join(t.TempDir(), "elsewhere")
	if _, err := server.DeleteObject("texts", "set/train-00002.parquet"); err != nil {
		t.Fatal(err)
	}
	server.intercept(nil)
	if err := run(); err != nil {
		t.Fatal(err)
	}
	check("mended")
	if puts := server.intercept(nil); !slices.Contains(puts, "set/train-00002.parquet") || len(puts) > 4 {
		t.Errorf("wrote %q to mend one shard", puts)
	}

	// Another corpus is refused.
	write(t, filepath.Join(dir, "part-0.txt"), "changed")
	if err := run(); !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("another corpus: %v, want %v", err, safeio.ErrMismatch)
	}
	for out, o := range map[string]Options{
		"no staging": options("s3://texts/set", ""),
		"other":      options("gs://texts/set", staging),
		"engine":     {Sources: []string{dir}, Out: "s3://texts/x", Staging: staging, Encoder: bytesEncoder{}, Engine: func(context.Context, string) error { return nil }},
	} {
		if _, _, err := Shard(t.Context(), o); err == nil {
			t.Errorf("%s: no error", out)
		}
	}
}

func TestBucketAsDataSet(t *testing.T) {
	server := newObjects(t)
	local, _ := shard(t, Options{Sources: []string{prose(t, 60<<10)}, Split: SplitBlank, ShardSize: 8 << 10})
	server.upload(t, local.dir, "set/")
	cache, err := OpenDiskCache(filepath.Join(t.TempDir(), "cache"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	far, err := OpenAt(t.Context(), "s3://texts/set", cache)
	if err != nil {
		t.Fatal(err)
	}
	windows := func(d *Dataset) (all []int32) {
		s, err := d.Stream(StreamOptions{Length: 64, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range s.Windows() {
			w := make([]int32, 64)
			if err := s.Next(w); err != nil {
				t.Fatal(err)
			}
			all = append(all, w...)
		}
		return all
	}
	if !slices.Equal(windows(local), windows(far)) {
		t.Error("windows of a bucket differ from those of a directory")
	}
	if _, err := OpenAt(t.Context(), "s3://texts/nothing", cache); !errors.Is(err, safeio.ErrNotFound) {
		t.Errorf("no data set: %v, want %v", err, safeio.ErrNotFound)
	}
	if _, err := OpenAt(t.Context(), "s3://texts/set", nil); !errors.Is(err, ErrNoCache) {
		t.Errorf("no cache: %v, want %v", err, ErrNoCache)
	}
}
