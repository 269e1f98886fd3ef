package embeddings_test

import (
	"fmt"

	"github.com/seed-4c77ef92/textwarp/embeddings"
)

func Example() {
	weights := []float32{3, 4, 0, 5, -3, -4} // raw rows of any length
	gradient := make([]float32, 6)
	table, err := embeddings.New(3, 2, weights, gradient)
	if err != nil {
		fmt.Println(err)
		return
	}
	table.Refresh()

	ids := []int32{0, 1}
	rows := make([]float32, 4)
	table.Lookup(rows, ids)
	fmt.Printf("%.3f\n", rows) // every row has norm √2

	table.Accumulate(ids, []float32{4, -3, 0, 1}) // across row 0, along row 1
	table.Backward()
	fmt.Printf("%.3f\n", gradient)
	// Output:
	// [0.849 1.131 0.000 1.414]
	// [1.131 -0.849 0.000 0.000 0.000 0.000]
}
