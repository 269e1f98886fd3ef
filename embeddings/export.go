package embeddings

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
)

// ExportName is the tensor that WriteSafetensors writes, named as decoder models
// in the Hugging Face library name theirs.
const ExportName = "embed_tokens.weight"

// WriteSafetensors writes E, the rows of norm √D that the model uses, as one
// float32 tensor [V, D] called [ExportName]. meta is added to the metadata, which
// say besides that the layout is PyTorch's.
func (t *Table) WriteSafetensors(w io.Writer, meta map[string]string) error {
	all := map[string]string{"format": "pt"}
	maps.Copy(all, meta)
	tensor := safetensors.Tensor{Name: ExportName, Shape: []int{t.V, t.D}, F32: t.E}
	if err := safetensors.Write(w, all, []safetensors.Tensor{tensor}); err != nil {
		return fmt.Errorf("export embeddings: %w", err)
	}
	return nil
}

// WriteTSV writes the two files that the TensorBoard projector loads: E with a
// token a line and a component a column, and a table of the tokens' names, ids
// and raw norms under a heading. Control characters in names are escaped, so
// that a name is always one field.
func (t *Table) WriteTSV(vectors, metadata io.Writer, name func(id int32) string) error {
	v, m := bufio.NewWriter(vectors), bufio.NewWriter(metadata)
	norms := t.RawNorms()
	fmt.Fprint(m, "token\tid\traw_norm\n")
	var line []byte
	for i := range t.V {
		line = line[:0]
		for k, e := range t.Row(int32(i)) {
			if k > 0 {
				line = append(line, '\t')
			}
			line = strconv.AppendFloat(line, float64(e), 'g', -1, 32)
		}
		v.Write(append(line, '\n')) // an error stays in the writer until Flush
		fmt.Fprintf(m, "%s\t%d\t%.6g\n", escape(name(int32(i))), i, norms[i])
	}
	if err := v.Flush(); err != nil {
		return fmt.Errorf("export embeddings: %w", err)
	}
	if err := m.Flush(); err != nil {
		return fmt.Errorf("export embedding names: %w", err)
	}
	return nil
}

// escape makes a name printable: \n, \t, \r, \xNN for bytes that are no UTF-8
// and \u{N} for other characters without a shape.
func escape(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(name[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, name[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
