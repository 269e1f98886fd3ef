package inspect

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Export writes the table for other programs into a directory: safetensors, and
// what the projector of TensorBoard shows (tensorboard --logdir dir). It tells
// wrote of each file.
func (v *Embeddings) Export(dir string, wrote func(path string)) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make directory for export: %w", err)
	}
	var vectors, metadata bytes.Buffer
	if err := v.Table.WriteTSV(&vectors, &metadata, func(id int32) string { return v.Tokens[id].Text }); err != nil {
		return err
	}
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{"embeddings.safetensors", func(w io.Writer) error {
			return v.Table.WriteSafetensors(w, map[string]string{"step": fmt.Sprint(v.Step)})
		}},
		{"tensors.tsv", func(w io.Writer) error { _, err := vectors.WriteTo(w); return err }},
		{"metadata.tsv", func(w io.Writer) error { _, err := metadata.WriteTo(w); return err }},
		{"projector_config.pbtxt", func(w io.Writer) error { _, err := io.WriteString(w, projectorConfig); return err }},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := (safeio.FS{}).WriteFile(path, f.write); err != nil {
			return err
		}
		wrote(path)
	}
	return nil
}

// projectorConfig is a ProjectorConfig of TensorBoard in the text format of
// protobuf. Its paths are relative to the directory that it stands in.
const projectorConfig = `embeddings {
  tensor_name: "embeddings"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
}
`
