package autoregressive

import "context"

// TextNLL is the negative log-likelihood of every text, in nats. A text longer
// than a window is scored as several, each on its own. What its last window lacks
// in length is filled up behind, where no token of the text sees it.
func (m *Objective) TextNLL(ctx context.Context, texts [][]int32) ([]float64, error) {
	l := m.o.Length
	var ids []int32 // whole windows, text after text
	begin := make([]int, len(texts))
	for i, text := range texts {
		begin[i] = len(ids)
		ids = append(ids, text...)
		for len(ids)%l != 0 {
			ids = append(ids, 0)
		}
	}
	nll := make([]float32, len(ids))
	for at, step := 0, m.o.MicroBatch*l; at < len(ids); at += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(len(ids), at+step)
		m.NLL(nll[at:end], ids[at:end])
	}
	nats := make([]float64, len(texts))
	for i, text := range texts {
		for _, v := range nll[begin[i] : begin[i]+len(text)] {
			nats[i] += float64(v)
		}
	}
	return nats, nil
}
