package timewarp

// Snapshot is a warp at one moment, as it is logged, drawn and exported. All
// its numbers are finite, so it always encodes as JSON.
type Snapshot struct {
	Kind  string  `json:"kind"`
	TMin  float64 `json:"t_min"`
	TMax  float64 `json:"t_max"`
	Steps int     `json:"steps"` // calls of Observe that carried a usable observation

	// The warp at its nodes, increasing in T. Loss is the fitted cross-entropy
	// in nats; a fixed warp fits nothing and leaves it empty.
	T       []float64 `json:"t"`
	CDF     []float64 `json:"cdf"`
	Density []float64 `json:"density"` // dF/dt, per unit of t
	Loss    []float64 `json:"loss,omitempty"`

	Height    float64    `json:"height"`    // top of the loss curve in nats
	Quantiles []Quantile `json:"quantiles"` // u = .05 .25 .5 .75 .95
	Observed  []Bin      `json:"observed"`  // recent losses by noise level, empty bins left out
}

// Quantile is one point of a warp: F(T) = U.
type Quantile struct {
	U float64 `json:"u"`
	T float64 `json:"t"`
}

// Bin holds recent observations of one interval of noise levels.
type Bin struct {
	Lo     float64 `json:"t_lo"`
	Hi     float64 `json:"t_hi"`
	T      float64 `json:"t"`         // weighted geometric mean of the noise levels seen
	Mean   float64 `json:"loss"`      // weighted mean loss in nats
	StdErr float64 `json:"loss_se"`   // its standard error; 0 for a single observation
	Count  float64 `json:"effective"` // effective number of observations
}

// snapshotLevels are the warped times whose noise levels every snapshot lists.
var snapshotLevels = [...]float64{.05, .25, .5, .75, .95}
