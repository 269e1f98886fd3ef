package hub

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// card writes the model card. Every figure in it is one that the run recorded.
func card(run string, m *trainer.Trained) ([]byte, error) {
	last, err := recordedIn(run, m.Step)
	if err != nil {
		return nil, err
	}
	title, err := filepath.Abs(run) // which may be "."
	if err != nil {
		return nil, fmt.Errorf("find run: %w", err)
	}
	title = filepath.Base(title)
	c := newConfig(m)
	what, use := "a continuous diffusion model of text (CDCD, arXiv 2211.15089): it turns noise into text, all tokens at once",
		"ids, confidence = model.sample(n=2, steps=100, temperature=0.8)"
	tag := "diffusion"
	if c.Objective == trainer.AR {
		what, tag = "an autoregressive model of text: it writes one token after the other", "autoregressive"
		use = fmt.Sprintf("ids = model.predict([[]], new_tokens=%d, temperature=0.8)", c.Window)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- textwarp\n- %s\n---\n\n# %s\n\n", tag, title)
	fmt.Fprintf(&b, "This is %s. It was trained with textwarp.\n\n| | |\n|---|---|\n", what)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, fmt.Sprintf(format, args...))
	}
	row("parameters", "%d", len(m.Model.Params))
	row("network", "%d layers of width %d, %d heads, MLP of %d", c.Layers, c.Width, c.Heads, c.MLP)
	row("embeddings", "%d tokens of dimension %d (%s)", c.Vocab, c.EmbedDim, m.Tokenizer.Kind())
	row("window", "%d tokens", c.Window)
	row("trained", "%d of %d steps of %d windows", m.Step, m.Config.Run.Steps, m.Config.Optim.Batch)
	if last.metrics.Tokens > 0 {
		row("tokens seen", "%d", last.metrics.Tokens)
	}
	if name := dataName(m.Config.Data.Stream); name != "" {
		row("text", "%s (data set %.12s)", name, m.Data)
	}
	row("weights", "moving average, decay %g", m.Config.Optim.EMA)
	if e := last.evaluation; e != nil {
		fmt.Fprintf(&b, "\n## Held-out losses\n\nOf %d windows at step %d, with standard errors over windows.\n\n", e.Eval.Windows, e.Step)
		if l := e.Eval.Likelihood; l != nil {
			fmt.Fprintf(&b, "| | nats a token | ± |\n|---|---|---|\n| all tokens | %.4f | %.4f |\n| all but the first | %.4f | %.4f |\n",
				l.Nats, l.StdErr, l.AfterFirst, l.AfterFirstStdErr)
		} else {
			fmt.Fprint(&b, "| noise level t | nats a noisy token | ± |\n|---|---|---|\n")
			for i := range min(len(e.Eval.T), len(e.Eval.CE), len(e.Eval.SE)) {
				fmt.Fprintf(&b, "| %g | %.4f | %.4f |\n", e.Eval.T[i], e.Eval.CE[i], e.Eval.SE[i])
			}
		}
	}
	fmt.Fprintf(&b, `
## Use

`+"```python"+`
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
%s
print(tokenizer.batch_decode(ids))
`+"```"+`

With PyTorch and safetensors alone: `+"`from modeling_textwarp import load; model = load(folder)`"+`.

No licence of the weights is stated here: it depends on the text that they were trained on. `+"`modeling_textwarp.py`"+` is Apache-2.0.
`, use)
	return b.Bytes(), nil
}

// dataName is what a card may tell of the place of a data set: the last part of
// its path, and of an address neither user nor query. "" is text that was piped in.
func dataName(stream string) string {
	if stream == "-" {
		return ""
	}
	if strings.Contains(stream, "://") {
		u, err := url.Parse(stream)
		if err != nil {
			return "shards"
		}
		stream = cmp.Or(strings.Trim(u.Path, "/"), u.Hostname())
	}
	if name := path.Base(filepath.ToSlash(stream)); name != "." && name != ".." && name != "/" {
		return name
	}
	return "shards"
}

// recorded is the newest of what a log holds of either kind.
type recorded struct {
	metrics    trainer.MetricsLine
	evaluation *trainer.MetricsLine
}

// maxLine bounds a line of metrics.
const maxLine = 16 << 20

// recordedIn reads a run's log of metrics up to a step. A log that is not there is
// empty.
func recordedIn(run string, step int) (recorded, error) {
	path := filepath.Join(run, trainer.MetricsFile)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return recorded{}, nil
	}
	if err != nil {
		return recorded{}, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	r, err := newest(f, step)
	if err != nil {
		return r, fmt.Errorf("read %q: %w (%w)", path, err, safeio.ErrCorrupt)
	}
	return r, nil
}

// newest reads lines of metrics up to a step. A last line that is still being
// written does not count.
func newest(log io.Reader, step int) (r recorded, err error) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, maxLine)
	var broken error
	for n := 1; lines.Scan(); n++ {
		if broken != nil {
			return r, broken
		}
		var l trainer.MetricsLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			broken = fmt.Errorf("line %d: %w", n, err)
			continue
		}
		if l.Step > step {
			break
		}
		r.metrics = l
		if l.Eval != nil {
			r.evaluation = &l
		}
	}
	return r, lines.Err()
}
