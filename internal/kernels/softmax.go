package kernels

import "math"

// SoftmaxCE computes the cross-entropy of rows of logits against targets:
//
//	ce[i] = -ln softmax(logits[i])[targets[i]]        (nats)
//
// logits [rows, v] is overwritten by the gradient of sum_i weight[i] ce[i] with
// respect to the logits, weight[i] (softmax - onehot). With a nil weight only ce
// is computed, and the content of logits afterwards is not defined. ce and
// targets have at least rows elements; a target must lie in [0, v).
func (p *Pool) SoftmaxCE(ce, logits []float32, targets []int32, weight []float32, rows, v int) {
	need("ce", ce, 1, rows)
	need("logits", logits, rows, v)
	if len(targets) < rows {
		panic("kernels: softmax: targets are too short")
	}
	if weight != nil {
		need("weight", weight, 1, rows)
	}
	for _, t := range targets[:rows] {
		if t < 0 || int(t) >= v {
			panic("kernels: softmax: target outside of the vocabulary")
		}
	}
	p.softmaxRun(softmaxJob{kind: crossEntropy, out: ce, logits: logits, targets: targets, weight: weight, rows: rows, v: v})
}

// SoftmaxRows replaces each row of logits [rows, v] by its softmax.
func (p *Pool) SoftmaxRows(logits []float32, rows, v int) {
	need("logits", logits, rows, v)
	p.softmaxRun(softmaxJob{kind: probabilities, logits: logits, rows: rows, v: v})
}

// ArgmaxRows finds in each row of logits [rows, v] the most probable token (the
// first among equals) and its softmax probability. logits is overwritten. ids
// and prob have at least rows elements; v must not be 0.
func (p *Pool) ArgmaxRows(ids []int32, prob, logits []float32, rows, v int) {
	need("prob", prob, 1, rows)
	need("logits", logits, rows, v)
	if len(ids) < rows {
		panic("kernels: argmax: ids are too short")
	}
	p.softmaxRun(softmaxJob{kind: mostProbable, out: prob, logits: logits, targets: ids, rows: rows, v: v})
}

type softmaxKind uint8

const (
	crossEntropy softmaxKind = iota
	probabilities
	mostProbable
)

func (p *Pool) softmaxRun(j softmaxJob) {
	if j.v == 0 {
		return
	}
	// a part is a few thousand logits, and at least one row
	j.perPart = max(1, 4096/j.v)
	p.mu.Lock()
	p.softmax = j
	p.call(shape{"softmax", j.rows, j.v, 0}, 25*j.rows*j.v, 2*j.rows*j.v, ceilDiv(j.rows, j.perPart), &p.softmax)
	p.softmax = softmaxJob{}
	p.mu.Unlock()
}

type softmaxJob struct {
	kind             softmaxKind
	out, logits      []float32
	targets          []int32
	weight           []float32
	rows, v, perPart int
}

func (j *softmaxJob) do(w *worker, i int) {
	for r := i * j.perPart; r < min((i+1)*j.perPart, j.rows); r++ {
		j.row(w.isa, r)
	}
}

func (j *softmaxJob) row(s isa, r int) {
	x := j.logits[r*j.v : (r+1)*j.v]
	top := s.max(x)
	switch j.kind {
	case probabilities:
		s.scale(x, float32(1/s.expRow(x, top)))
	case mostProbable:
		j.targets[r] = 0
		for i, y := range x {
			if y == top {
				j.targets[r] = int32(i)
				break
			}
		}
		j.out[r] = float32(1 / s.expRow(x, top))
	case crossEntropy:
		target := j.targets[r]
		logit := x[target]
		sum := s.expRow(x, top)
		j.out[r] = float32(math.Log(sum) + float64(top) - float64(logit))
		if j.weight != nil {
			s.scale(x, float32(float64(j.weight[r])/sum))
			x[target] -= j.weight[r]
		}
	}
}

// expRow replaces x by exp(x - top) and returns the sum, which is gathered in
// float64 from short float32 sums.
func (s isa) expRow(x []float32, top float32) float64 {
	const run = 256
	sum := 0.0
	for len(x) > run {
		sum += float64(s.expSum(x[:run], x[:run], 1, top))
		x = x[run:]
	}
	return sum + float64(s.expSum(x, x, 1, top))
}
