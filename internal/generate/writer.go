package generate

import "context"

// batchTokens bounds the positions that go through a network at once.
const batchTokens = 2048

// Text is one text that a model wrote.
type Text struct {
	Number int       // among all texts of the canvas
	Canvas Canvas    // that it fills, not to be changed
	IDs    []int32   // [L]
	Prob   []float32 // [L] the model's probability of each token, 1 of given ones
	Text   string
	Calls  int // times that the network was run for its batch
}

// Writer writes texts. It is not safe for concurrent use.
type Writer interface {
	// Write fills the canvas in n times and gives texts number first to
	// first+n-1, in this order, to each; an error of each ends it.
	Write(ctx context.Context, c Canvas, first, n int, each func(Text) error) error
}

// Collect returns n texts of a writer.
func Collect(ctx context.Context, w Writer, c Canvas, first, n int) ([]Text, error) {
	texts := make([]Text, 0, n)
	err := w.Write(ctx, c, first, n, func(t Text) error {
		texts = append(texts, t)
		return nil
	})
	return texts, err
}
