package autoregressive

import "testing"

// BenchmarkSampler writes 16 texts of 64 tokens.
func BenchmarkSampler(b *testing.B) {
	const batch, length = 16, 64
	m := newModel(b, 65).disturb()
	w := m.writer(batch, length, false)
	for name, s := range map[string]Sampler{"all": {Temperature: 1, TopP: 1}, "nucleus": {Temperature: 1, TopP: .9}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := s.Run(b.Context(), w, many(batch, length), nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch*length)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
