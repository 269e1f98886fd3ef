package timewarp

import "fmt"

// PaperOptions configures the paper's fit. Zero values stand for the defaults
// named with each field.
type PaperOptions struct {
	TMin, TMax float64 // range of noise levels, 0 < TMin < TMax
}

// Paper is the stochastic fit of the paper.
type Paper struct{ Fixed }

// NewPaper makes the paper's warp at its start.
func NewPaper(o PaperOptions) (*Paper, error) {
	f, err := newFixed(KindUniform, o.TMin, o.TMax)
	if err != nil {
		return nil, fmt.Errorf("new warp: %w", err)
	}
	return &Paper{*f}, nil
}
