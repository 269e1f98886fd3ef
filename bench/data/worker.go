package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// work is the life of a worker of ours: one job, one answer.
func work(spec string, out io.Writer) error {
	var job struct {
		Job string `json:"job"`
	}
	if err := json.Unmarshal([]byte(spec), &job); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	var run interface{ run() (answer, error) }
	switch job.Job {
	case "encode":
		run = &encodeSpecification{}
	case "read":
		run = &readSpecification{}
	default:
		return fmt.Errorf("do job %q: there is no such", job.Job)
	}
	if err := json.Unmarshal([]byte(spec), run); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	a, err := run.run()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(a)
}
