package inspect

import (
	"strings"

	"github.com/seed-4c77ef92/textwarp/embeddings"
)

// TableHealth is what is kept of a line of embeddings.jsonl.
type TableHealth struct {
	Step          int
	MeanCosine    float64
	MaxCosine     float64
	EffectiveRank float64
	RawNorm       embeddings.Quantiles
	Alarms        []string
}

func decodeTable(line []byte) (int, TableHealth, error) {
	var l struct {
		Step  int              `json:"step"`
		Stats embeddings.Stats `json:"stats"`
	}
	err := unmarshal(line, &l)
	s := l.Stats
	for i, alarm := range s.Alarms[:min(len(s.Alarms), 8)] {
		s.Alarms[i] = strings.Clone(alarm[:min(len(alarm), 1000)]) // the long one is not kept
	}
	return l.Step, TableHealth{
		Step: l.Step, MeanCosine: s.MeanCosine, MaxCosine: s.MaxCosine, EffectiveRank: s.EffectiveRank,
		RawNorm: s.RawNorm, Alarms: s.Alarms[:min(len(s.Alarms), 8)],
	}, err
}

// Health is the table's over training; nothing of a run that has no
// embeddings.jsonl.
func (r *Run) Health() []TableHealth {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []TableHealth
	for _, e := range r.table.all() {
		all = append(all, e.kept)
	}
	return all
}
