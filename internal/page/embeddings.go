package page

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"

	"github.com/seed-4c77ef92/textwarp/embeddings"
	"github.com/seed-4c77ef92/textwarp/internal/inspect"
)

const (
	// mostTables is how many tables are held at once: one of 50,000 tokens in 256
	// dimensions takes 100 MB.
	mostTables     = 2
	mostVectors    = 20_000
	mostNeighbours = 100
)

// tables holds the tables that were asked for last, each as of its newest
// checkpoint.
type tables struct {
	mu   sync.Mutex
	held []heldTable // the newest last
}

type heldTable struct {
	run   *run
	saved inspect.Saved // the newest checkpoint, which may be damaged
	view  *inspect.Embeddings
}

// table is the studied table of a run.
func (s *Server) table(ctx context.Context, run *run) (*inspect.Embeddings, error) {
	saved, err := run.Checkpoint()
	if err != nil {
		return nil, err
	}
	counts, err := s.shards.counts(ctx)
	if err != nil {
		return nil, err
	}
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	held := &s.tables.held
	at := slices.IndexFunc(*held, func(h heldTable) bool { return h.run == run })
	if at >= 0 {
		if h := (*held)[at]; h.saved == saved {
			return h.view, nil
		}
		*held = slices.Delete(*held, at, at+1)
	}
	if len(*held) == mostTables {
		*held = slices.Delete(*held, 0, 1)
	}
	view, err := run.Embeddings()
	if err != nil {
		return nil, err
	}
	if counts != nil {
		_ = view.Count(counts) // of another tokenizer: the norms are shown without
	}
	*held = append(*held, heldTable{run, saved, view})
	return view, nil
}

type embeddingsAnswer struct {
	Step      int              `json:"step"`
	Stats     embeddings.Stats `json:"stats"`
	Explained column           `json:"explained"`
	Tokens    tokensAnswer     `json:"tokens"`
	History   healthAnswer     `json:"history"`
}

type tokensAnswer struct {
	Text  []string `json:"text"`
	Norm  column   `json:"norm"`
	Count []int64  `json:"count"` // null where shards are not given
	X     column   `json:"x"`
	Y     column   `json:"y"`
}

type healthAnswer struct {
	Step          []int      `json:"step"`
	MeanCosine    column     `json:"mean_cosine"`
	MaxCosine     column     `json:"max_cosine"`
	EffectiveRank column     `json:"effective_rank"`
	NormQ05       column     `json:"norm_q05"`
	NormMedian    column     `json:"norm_median"`
	NormQ95       column     `json:"norm_q95"`
	Alarms        [][]string `json:"alarms"`
}

func (s *Server) getEmbeddings(r *http.Request) (embeddingsAnswer, error) {
	var a embeddingsAnswer
	run, err := s.run(r)
	if err != nil {
		return a, err
	}
	v, err := s.table(r.Context(), run)
	if err != nil {
		return a, err
	}
	a = embeddingsAnswer{Step: v.Step, Stats: v.Stats, Explained: v.Explained, History: healthAnswer{Step: []int{}}}
	t := &a.Tokens
	for _, token := range v.Tokens {
		t.Text, t.Norm = append(t.Text, token.Text), append(t.Norm, token.Norm)
		t.X, t.Y = append(t.X, token.X), append(t.Y, token.Y)
		if token.Count != nil {
			t.Count = append(t.Count, *token.Count)
		}
	}
	h := &a.History
	for _, l := range run.Health() {
		h.Step, h.MeanCosine, h.MaxCosine = append(h.Step, l.Step), append(h.MeanCosine, l.MeanCosine), append(h.MaxCosine, l.MaxCosine)
		h.EffectiveRank, h.NormQ05 = append(h.EffectiveRank, l.EffectiveRank), append(h.NormQ05, l.RawNorm.Q05)
		h.NormMedian, h.NormQ95 = append(h.NormMedian, l.RawNorm.Median), append(h.NormQ95, l.RawNorm.Q95)
		h.Alarms = append(h.Alarms, l.Alarms)
	}
	return a, nil
}

type neighboursAnswer struct {
	ID         int               `json:"id"`
	Neighbours []neighbourAnswer `json:"neighbours"`
}

type neighbourAnswer struct {
	ID     int32   `json:"id"`
	Text   string  `json:"text"`
	Cosine float64 `json:"cosine"`
}

func (s *Server) getNeighbours(r *http.Request) (neighboursAnswer, error) {
	a := neighboursAnswer{Neighbours: []neighbourAnswer{}}
	run, err := s.run(r)
	if err != nil {
		return a, err
	}
	v, err := s.table(r.Context(), run)
	if err != nil {
		return a, err
	}
	if a.ID, err = number(r, "token", 0, len(v.Tokens)-1, 0); err != nil {
		return a, err
	}
	k, err := number(r, "k", 1, mostNeighbours, 10)
	if err != nil {
		return a, err
	}
	near, err := v.Table.Neighbours(int32(a.ID), k)
	for _, n := range near {
		a.Neighbours = append(a.Neighbours, neighbourAnswer{n.ID, v.Tokens[n.ID].Text, n.Cosine})
	}
	return a, err
}

// chosen are the n most frequent tokens or, without counts, the first: byte-pair
// merges were learned in that order.
func chosen(v *inspect.Embeddings, n int) []int32 {
	ids := make([]int32, len(v.Tokens))
	for i := range ids {
		ids[i] = int32(i)
	}
	if len(ids) > n && v.Tokens[0].Count != nil {
		slices.SortStableFunc(ids, func(a, b int32) int { return cmp.Compare(*v.Tokens[b].Count, *v.Tokens[a].Count) })
	}
	return ids[:min(n, len(ids))]
}

func (s *Server) vectors(r *http.Request) (*inspect.Embeddings, []int32, error) {
	run, err := s.run(r)
	if err != nil {
		return nil, nil, err
	}
	n, err := number(r, "limit", 1, mostVectors, 4000)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.table(r.Context(), run)
	if err != nil {
		return nil, nil, err
	}
	return v, chosen(v, n), nil
}

func (s *Server) getVectors(r *http.Request) (answer, error) {
	v, ids, err := s.vectors(r)
	if err != nil {
		return answer{}, err
	}
	body := make([]byte, 0, 4*len(ids)*v.Table.D)
	for _, id := range ids {
		for _, e := range v.Table.Row(id) {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(e))
		}
	}
	return answer{typeBytes, body}, nil
}

type vectorIDsAnswer struct {
	Dim int     `json:"dim"`
	IDs []int32 `json:"ids"`
}

func (s *Server) getVectorIDs(r *http.Request) (vectorIDsAnswer, error) {
	v, ids, err := s.vectors(r)
	if err != nil {
		return vectorIDsAnswer{}, fmt.Errorf("choose vectors: %w", err)
	}
	return vectorIDsAnswer{v.Table.D, ids}, nil
}
