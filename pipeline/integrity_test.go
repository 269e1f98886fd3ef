package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// small is a data set of one shard of each split.
func small(t testing.TB, format string) *Dataset {
	d, _ := shard(t, Options{
		Sources: []string{corpus(t, map[string]string{"a.txt": "to be\n\nor not\n\nto be\n\nthat is\n\nthe question\n\nwhether\n\ntis nobler\n\nin the mind"})},
		Split:   SplitBlank, Val: .3, Format: format, TokenizerJSON: bytesEncoder{}.JSON(),
	})
	return d
}

// check opens and verifies a data set, as a user would.
func check(t testing.TB, dir string) error {
	d, err := Open(dir)
	if err != nil {
		return err
	}
	return d.Verify(t.Context(), nil)
}

// examine checks a file of a data set as if data were its content.
func examine(d *Dataset, name string, data []byte) error {
	if name == manifestName {
		_, err := parseManifest(data)
		return err
	}
	for _, s := range d.manifest.Shards {
		if s.File == name {
			return checkShard(data, s)
		}
	}
	return errors.New("not a file of the data set")
}

// Every bit of every shard and of the manifest is flipped once: each must be
// reported before anything is made of the file.
func TestEveryFlippedBitIsReported(t *testing.T) {
	for _, format := range []string{FormatParquet, FormatArrow} {
		d := small(t, format)
		if err := check(t, d.dir); err != nil {
			t.Fatal(err)
		}
		flips, missed := 0, 0
		for name, text := range contents(t, d.dir) {
			if name == tokenizerName {
				continue
			}
			data := []byte(text)
			for bit := range len(data) * 8 {
				data[bit/8] ^= 1 << (bit % 8)
				err := examine(d, name, data)
				data[bit/8] ^= 1 << (bit % 8)
				flips++
				if err == nil {
					missed++
					t.Errorf("%s: bit %d flips unnoticed", name, bit)
				} else if !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrMismatch) {
					t.Fatalf("%s: bit %d: untyped error %v", name, bit, err)
				}
			}
		}
		t.Logf("%s: %d bits flipped, %d missed", format, flips, missed)
	}
}

func TestEveryTruncationIsReported(t *testing.T) {
	d := small(t, FormatParquet)
	for name, text := range contents(t, d.dir) {
		if name == tokenizerName {
			continue
		}
		for n := range len(text) {
			if err := examine(d, name, []byte(text[:n])); !errors.Is(err, safeio.ErrCorrupt) {
				t.Fatalf("%s of %d bytes cut to %d: error = %v", name, len(text), n, err)
			}
		}
		if err := examine(d, name, []byte(text+"x")); !errors.Is(err, safeio.ErrCorrupt) {
			t.Fatalf("%s with a byte more: error = %v", name, err)
		}
	}
}

// The same through the file system, for a few of each.
func TestDamagedFilesAreReported(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"first bit": func(path string) error { return flip(path, 0) },
		"a bit":     func(path string) error { return flip(path, 777) },
		"cut":       func(path string) error { return os.Truncate(path, 50) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"longer":    func(path string) error { return os.Truncate(path, 1<<20) },
		"removed":   os.Remove,
		"directory": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o777)) },
	} {
		for _, file := range []string{manifestName, "train-00000.parquet", tokenizerName} {
			t.Run(name+" "+file, func(t *testing.T) {
				d := small(t, FormatParquet)
				if err := damage(filepath.Join(d.dir, file)); err != nil {
					// The tokenizer of the test is shorter than the bit's place.
					t.Skip(err)
				}
				err := check(t, d.dir)
				if file == tokenizerName && name == "removed" {
					if err != nil {
						t.Errorf("a data set without its tokenizer: %v", err)
					}
					return
				}
				if err == nil {
					t.Fatal("not reported")
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("error of several lines: %v", err)
				}
			})
		}
	}
}

// A manifest whose checksum is right is still not believed.
func TestManifestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Manifest)
		kind   error
	}{
		"other format":        {func(m *Manifest) { m.Format = "shards" }, safeio.ErrCorrupt},
		"newer schema":        {func(m *Manifest) { m.Schema = 2 }, safeio.ErrMismatch},
		"path upwards":        {func(m *Manifest) { m.Shards[0].File = "../train-00000.parquet" }, safeio.ErrCorrupt},
		"absolute path":       {func(m *Manifest) { m.Shards[0].File = "/etc/passwd" }, safeio.ErrCorrupt},
		"file of other split": {func(m *Manifest) { m.Shards[0].Split = ValSplit }, safeio.ErrCorrupt},
		"twice":               {func(m *Manifest) { m.Shards = append(m.Shards, m.Shards[0]) }, safeio.ErrCorrupt},
		"negative tokens":     {func(m *Manifest) { m.Shards[0].Tokens = -1 }, safeio.ErrCorrupt},
		"huge tokens":         {func(m *Manifest) { m.Shards[0].Tokens = 1 << 60 }, safeio.ErrCorrupt},
		"no vocabulary":       {func(m *Manifest) { m.Plan.Tokenizer.Size = 0 }, safeio.ErrCorrupt},
		"EOS outside":         {func(m *Manifest) { m.Plan.Tokenizer.EOS = 257 }, safeio.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			d := small(t, FormatParquet)
			c.change(d.manifest)
			write(t, filepath.Join(d.dir, manifestName), string(d.manifest.encode()))
			if _, err := Open(d.dir); !errors.Is(err, c.kind) {
				t.Errorf("error = %v, want %v", err, c.kind)
			}
		})
	}
}

// Shards that have the hash of the manifest but not its counts, or not its
// vocabulary, are found by reading them.
func TestVerifyLooksInside(t *testing.T) {
	for name, change := range map[string]func(*Manifest){
		"documents":  func(m *Manifest) { m.Shards[0].Documents++ },
		"tokens":     func(m *Manifest) { m.Shards[0].Tokens++ },
		"text":       func(m *Manifest) { m.Shards[0].TextBytes++ },
		"vocabulary": func(m *Manifest) { m.Plan.Tokenizer.Size, m.Plan.Tokenizer.EOS = 100, 99 },
		"tokenizer":  func(m *Manifest) { m.Plan.Tokenizer.SHA256 = strings.Repeat("0", 64) },
		"split":      func(m *Manifest) { m.Plan.Val = 1e-9 },
	} {
		for _, format := range []string{FormatParquet, FormatArrow} {
			t.Run(name+" "+format, func(t *testing.T) {
				d := small(t, format)
				change(d.manifest)
				err := d.Verify(t.Context(), nil)
				if !errors.Is(err, safeio.ErrCorrupt) && !errors.Is(err, safeio.ErrMismatch) {
					t.Errorf("error = %v", err)
				}
			})
		}
	}
}

func FuzzManifest(f *testing.F) {
	d := small(f, FormatParquet)
	f.Add(marshal(d.manifest))
	f.Add([]byte("{}"))
	f.Add([]byte(`{"format":"textwarp shards","schema":1,"shards":[{"file":"../x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err == nil && string(m.encode()) != string(data) {
			t.Fatal("a manifest that is not spelled as it would be written was accepted")
		}
	})
}
