package hub

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/tokenize"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// The files of a model folder.
const (
	WeightsFile    = "model.safetensors"
	ConfigFile     = "config.json"
	TokenizerFile  = "tokenizer.json"
	tokenizerSetup = "tokenizer_config.json"
	generationFile = "generation_config.json"
	modelingFile   = "modeling_textwarp.py"
	cardFile       = "README.md"
)

//go:embed modeling_textwarp.py
var modeling []byte

// Export writes the averaged weights of a run's newest whole checkpoint as a
// model folder. A folder of that kind is replaced; anything else at dir is left
// and is an error.
func Export(ctx context.Context, files safeio.FS, run, dir string, pool *kernels.Pool) (*trainer.Trained, error) {
	dir, err := place(dir)
	if err != nil {
		return nil, err
	}
	m, err := trainer.Load(run, pool)
	if err != nil {
		return nil, err
	}
	card, err := card(run, m)
	if err != nil {
		return nil, err
	}
	config := newConfig(m)
	if config.Training, err = newTraining(m); err != nil {
		return nil, err
	}
	parts := []struct {
		name  string
		write func(io.Writer) error
	}{
		{WeightsFile, func(w io.Writer) error {
			return safetensors.Write(w, map[string]string{"format": "pt"}, turned(m.Model.Tensors(m.Model.Params, "")))
		}},
		{ConfigFile, asJSON(config)},
		{TokenizerFile, plain(m.Tokenizer.JSON())},
		{tokenizerSetup, asJSON(tokenizerConfig(m))},
		{generationFile, asJSON(generation(m))},
		{modelingFile, plain(modeling)},
		{cardFile, plain(card)},
	}
	write := files.WriteDir
	if there, err := replaceable(dir); err != nil {
		return nil, err
	} else if there {
		write = files.ReplaceDir
	}
	if err := files.MkdirAll(filepath.Dir(dir)); err != nil {
		return nil, err
	}
	return m, write(dir, func(temp string) error {
		for _, p := range parts {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := files.WriteFile(filepath.Join(temp, p.name), p.write); err != nil {
				return err
			}
		}
		return nil
	})
}

// place is the absolute path of a folder, behind links. It must not be where the
// program works, whose directory would be another one afterwards.
func place(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("export to %q: %w", dir, err)
	}
	if _, err := os.Lstat(path); err == nil {
		path, err = filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("export to %q: a link that leads nowhere: choose another directory", dir)
		}
		if err != nil {
			return "", fmt.Errorf("export to %q: %w", dir, err)
		}
	}
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	if err == nil && here == path {
		return "", fmt.Errorf("export to %q: it is the working directory: choose another directory", dir)
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return "", fmt.Errorf("export to %q: it is a file: choose another directory", dir)
	}
	return path, nil
}

// replaceable says whether there is a directory to be replaced, and refuses one
// that holds anything that Export did not write.
func replaceable(dir string) (there bool, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("export to %q: %w", dir, err)
	}
	if len(entries) == 0 {
		return true, nil
	}
	var c struct {
		ModelType string `json:"model_type"`
	}
	data, err := os.ReadFile(filepath.Join(dir, ConfigFile))
	if err != nil || json.Unmarshal(data, &c) != nil || c.ModelType != ModelType {
		return false, fmt.Errorf("export to %q: the directory is not empty and not a model folder: choose another: %w", dir, safeio.ErrMismatch)
	}
	ours := []string{WeightsFile, ConfigFile, TokenizerFile, tokenizerSetup, generationFile, modelingFile, cardFile}
	for _, e := range entries {
		if e.IsDir() && compiled(filepath.Join(dir, e.Name())) {
			continue
		}
		if !slices.Contains(ours, e.Name()) || !e.Type().IsRegular() {
			return false, fmt.Errorf("export to %q: it holds %q, which is no file of a model folder and would be lost: choose another: %w",
				dir, e.Name(), safeio.ErrMismatch)
		}
	}
	return true, nil
}

// compiled tells what Python leaves in a folder when it has read
// modeling_textwarp.py, and nothing else.
func compiled(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && filepath.Base(dir) == "__pycache__" && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !strings.HasPrefix(e.Name(), "modeling_textwarp.") || !e.Type().IsRegular()
	})
}

// turned are the tensors with their matrices [out, in], as PyTorch keeps them.
func turned(tensors []safetensors.Tensor) []safetensors.Tensor {
	out := slices.Clone(tensors)
	for i, t := range tensors {
		if isTurned(t) {
			out[i].Shape, out[i].F32 = []int{t.Shape[1], t.Shape[0]}, transpose(t.F32, t.Shape[0], t.Shape[1])
		}
	}
	return out
}

// isTurned tells the network's matrices from its vectors and from the table, which
// is rows of tokens everywhere.
func isTurned(t safetensors.Tensor) bool { return len(t.Shape) == 2 && t.Name != "embeddings.weight" }

// transpose makes [columns, rows] of a matrix [rows, columns].
func transpose(m []float32, rows, columns int) []float32 {
	out := make([]float32, len(m))
	for r := range rows {
		for c := range columns {
			out[c*rows+r] = m[r*columns+c]
		}
	}
	return out
}

// tokenizerConfig is what AutoTokenizer reads beside tokenizer.json.
func tokenizerConfig(m *trainer.Trained) map[string]any {
	c := map[string]any{
		"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": m.Config.Data.Length, "clean_up_tokenization_spaces": false,
	}
	for name, id := range special(m.Tokenizer) {
		c[name+"_token"] = m.Tokenizer.Token(id)
	}
	return c
}

// generation are the settings that sample and predict have by default.
func generation(m *trainer.Trained) map[string]any {
	c := map[string]any{"do_sample": true, "temperature": .8, "max_new_tokens": m.Config.Data.Length}
	if m.Config.Process.Objective == trainer.AR {
		c["top_p"] = 1.
	} else {
		c["steps"], c["guidance_scale"] = 50, 1.
	}
	for name, id := range special(m.Tokenizer) {
		if name == "eos" || name == "pad" {
			c[name+"_token_id"] = id
		}
	}
	return c
}

// special are the special tokens that there are.
func special(t *tokenize.Tokenizer) map[string]int32 {
	all := map[string]int32{"eos": t.EOS(), "pad": t.PAD(), "mask": t.MASK(), "unk": t.UNK()}
	for name, id := range all {
		if id < 0 {
			delete(all, name)
		}
	}
	return all
}

func plain(data []byte) func(io.Writer) error {
	return func(w io.Writer) error { _, err := w.Write(data); return err }
}

func asJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
}
