package pipeline

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// manySources is a corpus with everything that makes units differ: small files
// that share one, a large one, a compressed one, objects, a name that is not
// UTF-8.
func manySources(t *testing.T) string {
	t.Helper()
	dir := prose(t, 60<<10)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(strings.Repeat("packed words\n\nof several units\n\n", 1000)))
	z.Close()
	write(t, filepath.Join(dir, "packed.txt.gz"), packed.String())
	write(t, filepath.Join(dir, "objects.jsonl"), strings.Repeat(`{"text": "an object"}`+"\n{}\n", 20))
	write(t, filepath.Join(dir, "below", "caf\xe9 \"1\".txt"), "small\n\nfile\n")
	return dir
}

func engineOptions(source, out string) Options {
	return Options{
		Sources: []string{source}, Out: out, Workers: 2, Split: SplitBlank, ShardSize: 5 << 10, Val: .2,
		Encoder: bytesEncoder{}, TokenizerJSON: bytesEncoder{}.JSON(),
	}
}

func loadBytes(data []byte) (Encoder, error) {
	if !bytes.Equal(data, bytesEncoder{}.JSON()) {
		return nil, errors.New("another tokenizer")
	}
	return bytesEncoder{}, nil
}

func allTasks(dir string) (tasks [][]byte, err error) {
	for task, err := range Tasks(dir) {
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	return tasks, nil
}

// oneWorker is an engine that does the tasks in the order that order makes.
func oneWorker(order func([][]byte) [][]byte) Engine {
	return func(ctx context.Context, dir string) error {
		tasks, err := allTasks(dir)
		if err != nil {
			return err
		}
		w, err := OpenWorker(dir, loadBytes)
		for _, task := range order(tasks) {
			if err == nil {
				_, err = w.Do(ctx, task)
			}
		}
		return err
	}
}

// severalWorkers has every task done by two of them, at the same time.
func severalWorkers(ctx context.Context, dir string) error {
	tasks, err := allTasks(dir)
	if err != nil {
		return err
	}
	return each(ctx, 4, 2*len(tasks), func(ctx context.Context, i int) error {
		w, err := OpenWorker(dir, loadBytes)
		if err == nil {
			_, err = w.Do(ctx, tasks[i/2])
		}
		return err
	})
}

// dyingWorkers stops the first worker of every task after some documents, and
// another one does it.
func dyingWorkers(ctx context.Context, dir string) error {
	tasks, err := allTasks(dir)
	if err != nil {
		return err
	}
	for i, task := range tasks {
		w, err := OpenWorker(dir, loadBytes)
		if err != nil {
			return err
		}
		// What a worker leaves that is killed, not stopped.
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(".tmp-%016x", i)), []byte("PAR1"), 0o666); err != nil {
			return err
		}
		dying, die := context.WithCancel(ctx)
		left := int64(i % 7)
		w.options.Encoder = mortal{&left, die}
		w.Do(dying, task)
		die()
		if w, err = OpenWorker(dir, loadBytes); err != nil {
			return err
		}
		if _, err := w.Do(ctx, task); err != nil {
			return err
		}
	}
	return nil
}

// mortal dies after left texts.
type mortal struct {
	left *int64
	die  func()
}

func (m mortal) Encode(dst []int32, text string) []int32 {
	if *m.left--; *m.left <= 0 {
		m.die()
	}
	return bytesEncoder{}.Encode(dst, text)
}
func (m mortal) EOS() int32     { return bytesEncoder{}.EOS() }
func (m mortal) VocabSize() int { return bytesEncoder{}.VocabSize() }
func (m mortal) Hash() string   { return bytesEncoder{}.Hash() }

func TestEngineMakesTheSameBytes(t *testing.T) {
	source := manySources(t)
	local := engineOptions(source, filepath.Join(t.TempDir(), "local"))
	if _, _, err := Shard(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	want := contents(t, local.Out)
	for name, engine := range map[string]Engine{
		"in order":        oneWorker(func(tasks [][]byte) [][]byte { return tasks }),
		"backwards":       oneWorker(func(tasks [][]byte) [][]byte { slices.Reverse(tasks); return tasks }),
		"twice":           oneWorker(func(tasks [][]byte) [][]byte { return append(tasks, tasks...) }),
		"twice at once":   severalWorkers,
		"by the mortal":   dyingWorkers,
		"after an engine": nil, // which failed in the middle: local goes on
	} {
		t.Run(name, func(t *testing.T) {
			o := engineOptions(source, filepath.Join(t.TempDir(), "out"))
			o.Engine = engine
			if engine == nil {
				o.Engine = func(ctx context.Context, dir string) error {
					half := oneWorker(func(tasks [][]byte) [][]byte { return tasks[:len(tasks)/2] })
					return errors.Join(half(ctx, dir), errors.New("cluster gone"))
				}
				if _, _, err := Shard(t.Context(), o); err == nil || !strings.Contains(err.Error(), "cluster gone") {
					t.Fatalf("error %v of a failing engine", err)
				}
				o.Engine = nil
			}
			_, report, err := Shard(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if report.NoText != 20 {
				t.Errorf("report %v, want 20 lines without text", report)
			}
			if names := differences(want, contents(t, o.Out)); len(names) > 0 {
				t.Errorf("%v differ from what this process makes", names)
			}
		})
	}
}

// An engine mends a finished data set, and goes on where this process stopped.
func TestEngineMends(t *testing.T) {
	o := engineOptions(manySources(t), filepath.Join(t.TempDir(), "out"))
	m, _, err := Shard(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, o.Out)
	bad := filepath.Join(o.Out, m.Shards[1].File)
	if err := os.WriteFile(bad, []byte("PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	o.Engine = severalWorkers
	if _, _, err := Shard(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if names := differences(want, contents(t, o.Out)); len(names) > 0 {
		t.Errorf("%v differ after mending", names)
	}
}

func TestEngineThatDoesNothing(t *testing.T) {
	o := engineOptions(prose(t, 20<<10), filepath.Join(t.TempDir(), "out"))
	o.Engine = func(context.Context, string) error { return nil }
	if _, _, err := Shard(t.Context(), o); err == nil || !strings.Contains(err.Error(), "unit 0 is not done") {
		t.Errorf("error %v, want one that names unit 0", err)
	}
	if _, err := os.Stat(filepath.Join(o.Out, manifestName)); err == nil {
		t.Error("there is a manifest")
	}
	o.TokenizerJSON = nil
	if _, _, err := Shard(t.Context(), o); err == nil || !strings.Contains(err.Error(), "file of the tokenizer") {
		t.Errorf("error %v without a tokenizer file", err)
	}
}

// A worker whose driver died does not spoil what another driver begins there.
func TestWorkerOfAnotherPlan(t *testing.T) {
	o := engineOptions(prose(t, 20<<10), filepath.Join(t.TempDir(), "out"))
	var orphan *Worker
	var task []byte
	o.Engine = func(_ context.Context, dir string) (err error) {
		tasks, err := allTasks(dir)
		if err == nil {
			task = tasks[0]
			orphan, err = OpenWorker(dir, loadBytes)
		}
		return errors.Join(err, errors.New("killed"))
	}
	Shard(t.Context(), o)
	if orphan == nil {
		t.Fatal("no worker")
	}
	if err := os.RemoveAll(o.Out); err != nil {
		t.Fatal(err)
	}
	o.Val, o.Engine = 0, nil
	if _, _, err := Shard(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := contents(t, o.Out)
	if _, err := orphan.Do(t.Context(), task); !errors.Is(err, safeio.ErrMismatch) {
		t.Errorf("error %v, want a mismatch", err)
	}
	if names := differences(want, contents(t, o.Out)); len(names) > 0 {
		t.Errorf("the orphan changed %v", names)
	}
}

// Progress comes from the records that workers leave.
func TestEngineProgress(t *testing.T) {
	o := engineOptions(prose(t, 20<<10), filepath.Join(t.TempDir(), "out"))
	all := make(chan struct{})
	o.Progress = func(p Progress) {
		if p.Stage == "shard" && p.Done == p.Total {
			close(all)
		}
	}
	o.Engine = func(ctx context.Context, dir string) error {
		if err := severalWorkers(ctx, dir); err != nil {
			return err
		}
		<-all
		return nil
	}
	if _, _, err := Shard(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// What is known of a source reaches the workers.
func TestTaskCarriesAllOfASource(t *testing.T) {
	carried := map[string]bool{
		"sum":     true, // only the scan needs it
		"guessed": true, // only a forecast does
	}
	for f := range reflect.TypeFor[sourceJSON]().Fields() {
		carried[strings.ToLower(f.Name)] = true
	}
	for f := range reflect.TypeFor[source]().Fields() {
		if !carried[strings.ToLower(f.Name)] {
			t.Errorf("a worker will not know the %s of a source: add it to sourceJSON", f.Name)
		}
	}
}

func FuzzParseTask(f *testing.F) {
	f.Add([]byte(`{"units":[{"unit":3,"segments":[{"source":{"name":"caf\\xe9","place":"/a","size":9},"from":1,"to":9}]}]}`))
	f.Add([]byte(`{"units":[{"unit":-1,"segments":[]}]}`))
	f.Add([]byte(`{"units":[{"unit":1,"segments":[{"source":{"name":"\\"},"from":-1,"to":9}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		units, err := parseTask(t.Context(), data)
		if err != nil {
			return
		}
		for _, u := range units {
			for _, s := range u.segments {
				if u.index < 0 || s.from < 0 || s.from > s.to || s.to > s.source.size {
					t.Fatalf("accepted %+v", u)
				}
			}
		}
	})
}
