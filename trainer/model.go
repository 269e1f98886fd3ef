package trainer

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/autoregressive"
	"github.com/seed-4c77ef92/textwarp/denoiser"
	"github.com/seed-4c77ef92/textwarp/diffusion"
	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/internal/safetensors"
	"github.com/seed-4c77ef92/textwarp/timewarp"
)

// tableName is the embedding table's tensor in a checkpoint.
const tableName = "embeddings.weight"

// Model is an embedding table and a denoiser over one flat vector of
// parameters, table first, with a gradient vector of the same layout: what an
// optimiser needs to know of it, and the place where an all-reduce would go.
type Model struct {
	Params, Grads []float32 // Grads is nil for a model that is only run
	Table         *embeddings.Table
	Net           *denoiser.Net

	config denoiser.Config
	pool   *kernels.Pool
}

// NewModel lays a model out over params, or over a vector of its own where
// params is nil. Its values are the caller's: see [Model.Init].
func NewModel(c denoiser.Config, params []float32, train bool, pool *kernels.Pool) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	table := c.Vocab * c.EmbedDim
	n := table + c.NumParams()
	if params == nil {
		params = kernels.Floats(n)
	}
	if len(params) != n {
		return nil, fmt.Errorf("lay out model: %d parameters, want %d", len(params), n)
	}
	m := &Model{Params: params, config: c, pool: pool}
	var tableGrads, netGrads []float32
	if train {
		m.Grads = kernels.Floats(n)
		tableGrads, netGrads = m.Grads[:table], m.Grads[table:]
	}
	var err error
	if m.Table, err = embeddings.New(c.Vocab, c.EmbedDim, params[:table], tableGrads); err != nil {
		return nil, err
	}
	m.Net, err = denoiser.New(c, params[table:], netGrads, pool)
	return m, err
}

// Init gives every parameter its starting value.
func (m *Model) Init(seed uint64) {
	m.Table.Init(seed)
	m.Net.Init(seed)
}

// Tensors names the parts of a vector with the model's layout.
func (m *Model) Tensors(vector []float32, prefix string) []safetensors.Tensor {
	c := m.config
	table := c.Vocab * c.EmbedDim
	out := []safetensors.Tensor{{Name: prefix + tableName, Shape: []int{c.Vocab, c.EmbedDim}, F32: vector[:table]}}
	for _, p := range c.Params() {
		first := table + p.Offset
		out = append(out, safetensors.Tensor{Name: prefix + p.Name, Shape: p.Shape, F32: vector[first : first+p.Len()]})
	}
	return out
}

// ReadTensors fills a vector with the model's layout from a file.
func (m *Model) ReadTensors(f *safetensors.File, vector []float32, prefix string) error {
	for _, t := range m.Tensors(vector, prefix) {
		if err := f.Read(t.Name, t.F32); err != nil {
			return err
		}
	}
	return nil
}

// trainingPass is the memory of a training step of micro windows.
func (m *Model) trainingPass(micro, length int, recompute bool) *denoiser.Pass {
	if recompute {
		return m.Net.NewRecomputingPass(micro, length)
	}
	return m.Net.NewPass(micro, length, true)
}

// decayed lists the ranges of the flat vector that weight decay applies to: the
// network's matrices, not its biases and not the embeddings, whose length means
// nothing.
func (m *Model) decayed() [][2]int {
	var out [][2]int
	for _, t := range m.config.Params() {
		if len(t.Shape) == 2 {
			first := len(m.Table.W) + t.Offset
			out = append(out, [2]int{first, first + t.Len()})
		}
	}
	return out
}

// Process joins the model with a warp into the objective "cdcd". Its memory is
// for micro windows of length tokens at a time.
func (m *Model) Process(c Config, warp timewarp.Warp, micro, length int) *diffusion.CDCD {
	return m.process(c, warp, m.Net.NewPass(micro, length, m.Grads != nil), micro, length)
}

// SteeredProcess is [Model.Process] for a sampler with control, which goes
// backward through the network.
func (m *Model) SteeredProcess(c Config, warp timewarp.Warp, micro, length int) *diffusion.CDCD {
	return m.process(c, warp, m.Net.NewPass(micro, length, true), micro, length)
}

func (m *Model) process(c Config, warp timewarp.Warp, pass *denoiser.Pass, micro, length int) *diffusion.CDCD {
	return diffusion.NewCDCD(m.Table, pass, warp, diffusion.CDCDOptions{
		Length: length, Batch: c.Optim.Batch, MicroBatch: micro, Mask: c.Process.Mask, Loss: c.Process.Loss,
		SelfConditioning: c.Process.SelfConditioning, ConditionDrop: c.Process.ConditionDrop, Dropout: c.Optim.Dropout, Seed: c.Run.Seed,
		Pool: m.pool,
	})
}

// Autoregressive joins the model into the objective "ar". Its memory is for micro
// windows of length tokens at a time.
func (m *Model) Autoregressive(c Config, micro, length int) *autoregressive.Objective {
	return m.autoregressive(c, m.Net.NewPass(micro, length, m.Grads != nil), micro, length)
}

func (m *Model) autoregressive(c Config, pass *denoiser.Pass, micro, length int) *autoregressive.Objective {
	return autoregressive.New(m.Table, pass, autoregressive.Options{
		Length: length, Batch: c.Optim.Batch, MicroBatch: micro, FIM: c.Process.FIM, Dropout: c.Optim.Dropout, Seed: c.Run.Seed,
	})
}

// Writer is the model of a run of the objective "ar" as it writes, up to b texts
// of up to l tokens at a time.
func (m *Model) Writer(c Config, b, l int) autoregressive.Writer {
	return autoregressive.Writer{Table: m.Table, Decoder: m.Net.NewDecoder(b, l), FIM: c.Process.FIM > 0}
}
