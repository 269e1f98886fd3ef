package eval

import (
	"math"

	"github.com/seed-4c77ef92/textwarp/internal/judge"
)

// newLikelihood takes the nats a token of every window to other units.
func newLikelihood(h *heldOut, each []float64) Likelihood {
	tokens, characters, bytes := make([]judge.Part, len(each)), make([]judge.Part, len(each)), make([]judge.Part, len(each))
	for i, nats := range each {
		sum := nats * float64(h.Length)
		b, c := size(h.tok, h.window(i))
		tokens[i] = judge.Part{Sum: sum, Base: float64(h.Length)}
		characters[i] = judge.Part{Sum: sum, Base: c}
		bytes[i] = judge.Part{Sum: sum / math.Ln2, Base: b}
	}
	return Likelihood{Token: judge.Ratio(tokens), Character: judge.Ratio(characters), Byte: judge.Ratio(bytes)}
}
