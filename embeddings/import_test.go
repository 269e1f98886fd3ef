package embeddings

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// row is one line of a text file.
type row struct {
	form   string
	values []float32
}

// readText reads all rows.
func readText(text string) ([]row, error) {
	r, err := NewTextReader(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	var rows []row
	for r.Next() {
		values := make([]float32, r.D)
		if err := r.Values(values); err != nil {
			return nil, err
		}
		rows = append(rows, row{string(r.Form()), values})
	}
	return rows, r.Err()
}

func TestTextFormats(t *testing.T) {
	want := []row{{"the", []float32{1, -2.5, 3e-4}}, {"cat", []float32{0, 0, 1}}}
	for name, text := range map[string]string{
		"GloVe":                    "the 1 -2.5 3e-4\ncat 0 0 1\n",
		"GloVe, no last line feed": "the 1 -2.5 3e-4\ncat 0 0 1",
		"word2vec":                 "2 3\nthe 1 -2.5 3e-4\ncat 0 0 1\n",
		"word2vec's own program":   "2 3\nthe 1.0 -2.5 3e-4 \ncat 0.0 0.0 1.0 \n",
		"of Windows":               "2 3\r\nthe 1 -2.5 3e-4\r\ncat 0 0 1\r\n",
		"tabs":                     "the\t1\t-2.5\t3e-4\ncat\t0\t0\t1\n",
		"an empty line at the end": "the 1 -2.5 3e-4\ncat 0 0 1\n\n",
		"one at the start":         "\nthe 1 -2.5 3e-4\ncat 0 0 1\n",
		"columns that are aligned": "the   1   -2.5  3e-4\ncat   0    0    1   \n",
		"room for a sign":          "the  1 -2.5  3e-4\ncat  0  0  1\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readText(text)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	got, err := readText("the 1 2\n. . . 3 4\nat name@domain.com 5 6\nno\u00a0break 7 8\n\xff 9 10\n")
	forms := []string{"the", ". . .", "at name@domain.com", "no\u00a0break", "\xff"}
	if err != nil || len(got) != len(forms) {
		t.Fatalf("got %v, %v", got, err)
	}
	for i, f := range forms {
		if got[i].form != f || got[i].values[1] != float32(2*i+2) {
			t.Errorf("row %d is %v, want %q", i, got[i], f)
		}
	}
}

func TestTextRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":                   {"", "the file is empty"},
		"prose":                   {"It was a bright cold day\n", `line 1: "was" is not a number`},
		"one word":                {"word\n", "line 1: embeddings of dimension 0"},
		"one number":              {"the 1\n", "line 1: embeddings of dimension 1"},
		"a huge dimension":        {"5 1000000000\n", "line 1: embeddings of dimension 1000000000"},
		"a zipped file":           {"PK\x03\x04\x14\x00 \x00\x08\n", `is not a number`},
		"a line without an end":   {"the 1 2\n" + strings.Repeat("x", maxTextLine+1), "line 2: longer than 1048576 bytes"},
		"a row cut short":         {"the 1 2 3\ncat 4 5\n", "line 2: a token and 2 numbers, want 3"},
		"fewer rows":              {"3 2\nthe 1 2\ncat 3 4\n", "2 rows where the first line promises 3"},
		"more rows":               {"1 2\nthe 1 2\ncat 3 4\n", "2 rows where the first line promises 1"},
		"binary word2vec":         {"2 3\nthe \x00\x00\x80\x3f\x00\x00\x00\x40\n", "line 2: a token and 1 numbers, want 3"},
		"no number":               {"the 1 2\ncat 3 x\n", `line 2: number 2 of "cat" is "x"`},
		"not a number":            {"the 1 2\ncat NaN 3\n", `line 2: number 1 of "cat" is "NaN"`},
		"infinite":                {"the 1 2\ncat -Inf 3\n", `number 1 of "cat" is "-Inf"`},
		"beyond float32":          {"the 1 2\ncat 1e39 3\n", `number 1 of "cat" is "1e39"`},
		"only empty lines":        {"\n\r\n", "the file is empty"},
		"JSON":                    {"{}\n", "line 1: embeddings of dimension 0, want from 2 to 65536: is it word vectors as text?"},
		"control in what is told": {"the 1 2\ncat\x1b[31m y 3\n", `"cat\x1b[31m"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readText(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestTextRoundTrip: what is written is read, in either format.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(2, 5).Draw(t, "d")
		n := rapid.IntRange(1, 6).Draw(t, "rows")
		var want []row
		var text strings.Builder
		if rapid.Bool().Draw(t, "header") {
			fmt.Fprintf(&text, "%d %d\n", n, d)
		}
		for range n {
			form := rapid.StringMatching(`[a-zÀ-ÿ一-十_.'-]{1,6}`).Draw(t, "form")
			values := rapid.SliceOfN(rapid.Float32Range(-1e30, 1e30), d, d).Draw(t, "values")
			want = append(want, row{form, values})
			text.WriteString(form)
			for _, v := range values {
				fmt.Fprintf(&text, " %v", v)
			}
			text.WriteByte('\n')
		}
		got, err := readText(text.String())
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	})
}

func FuzzTextReader(f *testing.F) {
	for _, seed := range []string{
		"the 1 2\ncat 3 4\n", "2 3\nthe 1 2 3 \ncat 0 0 1\n", "1 1\n", "a 1e39 2\n", " 1 2\n", "2 2\n\n\n", "a b c 1 2\r\n\t", "the NaN 1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewTextReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		if r.D < 2 || r.D > maxTextDim {
			t.Fatalf("dimension %d", r.D)
		}
		values := make([]float32, r.D)
		for r.Next() {
			if r.Values(values) != nil {
				break
			}
			for _, v := range values {
				if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
					t.Fatalf("%v is not finite", v)
				}
			}
		}
	})
}

func TestFindTable(t *testing.T) {
	matrix := func(names ...string) (all []safetensors.Tensor) {
		for _, name := range names {
			shape := []int{2, 3}
			if strings.HasPrefix(name, "bias") {
				shape = []int{6}
			}
			all = append(all, safetensors.Tensor{Name: name, Shape: shape, F32: make([]float32, 6)})
		}
		return all
	}
	cases := []struct {
		name    string
		tensors []safetensors.Tensor
		want    string
		err     string
	}{
		{"an export of ours", matrix(ExportName), ExportName, ""},
		{"a model folder of ours", matrix("embeddings.weight", "input.weight"), "embeddings.weight", ""},
		{"GPT-2", matrix("transformer.wpe.weight", "transformer.wte.weight", "transformer.h.0.attn.c_attn.weight"), "transformer.wte.weight", ""},
		{"BERT", matrix("embeddings.position_embeddings.weight", "embeddings.word_embeddings.weight"), "embeddings.word_embeddings.weight", ""},
		{"T5", matrix("decoder.block.0.weight", "shared.weight"), "shared.weight", ""},
		{"any name, alone", matrix("bias", "vectors"), "vectors", ""},
		{"none", matrix("bias"), "", "no matrix"},
		{"two strangers", matrix("a", "b"), "", "none of its 2 matrices"},
		{"no tensors", nil, "", "no matrix"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := safetensors.Write(&b, nil, c.tensors); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "x.safetensors")
			if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			f, err := safetensors.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := FindTable(f)
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}
