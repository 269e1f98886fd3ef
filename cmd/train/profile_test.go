package main

import (
	"testing"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

func TestGatherJoinsWhatDiffersInPositions(t *testing.T) {
	got := gather([]kernels.Stat{
		{Kernel: "matmul NN", M: 64, N: 8, K: 4, Calls: 2, Time: 5 * time.Second},
		{Kernel: "matmul NN", M: 31, N: 99, K: 4, Calls: 1, Time: 4 * time.Second},
		{Kernel: "matmul TN", M: 4, N: 99, K: 31, Calls: 1, Time: 3 * time.Second},
		{Kernel: "matmul NN", M: 40, N: 99, K: 4, Calls: 1, Time: 2 * time.Second},
		{Kernel: "gelu", Calls: 2, Time: time.Second},
	}, 2)
	want := []struct {
		title string
		calls int
	}{{"matmul NN … × 99 × 4", 2}, {"matmul NN 64 × 8 × 4", 2}, {"matmul TN 4 × 99 × …", 1}, {"gelu", 2}}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %v", len(got), len(want), got)
	}
	for i, w := range want {
		if title(got[i]) != w.title || got[i].Calls != w.calls {
			t.Errorf("line %d: %s, %d calls; want %s, %d", i, title(got[i]), got[i].Calls, w.title, w.calls)
		}
	}
}
