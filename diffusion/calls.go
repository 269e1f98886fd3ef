package diffusion

import "fmt"

// Calls is how often a Run has the network run for a sequence: once a step,
// twice with Heun, twice as often with guidance, and once at the end to read
// the tokens off. A Control that forbids something may read them off again.
func (s Sampler) Calls() int { return s.Steps*s.callsPerStep() + 1 }

// WithCalls returns the sampler with as many steps as n calls of the network
// allow, the last of which reads the tokens off.
func (s Sampler) WithCalls(n int) (Sampler, error) {
	if least := s.callsPerStep() + 1; n < least {
		return s, fmt.Errorf("sample: %d network calls are not enough for one step, which takes %d with the one that reads the tokens off", n, least)
	}
	s.Steps = (n - 1) / s.callsPerStep()
	return s, nil
}

func (s Sampler) callsPerStep() int {
	calls := 1
	if s.Method == Heun {
		calls *= 2
	}
	if s.Guidance != 1 {
		calls *= 2
	}
	return calls
}
