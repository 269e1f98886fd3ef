package pipeline_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-4c77ef92/textwarp/pipeline"
)

// letters is a small vocabulary: a is 0, b is 1 and so on; EOS is 26.
type letters struct{}

func (letters) Encode(dst []int32, text string) []int32 {
	for _, r := range text {
		dst = append(dst, r-'a')
	}
	return dst
}
func (letters) EOS() int32     { return 26 }
func (letters) VocabSize() int { return 27 }
func (letters) Hash() string {
	sum := sha256.Sum256([]byte("a to z"))
	return hex.EncodeToString(sum[:])
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	text := filepath.Join(dir, "words.txt")
	if err := os.WriteFile(text, []byte("abc\ndefg\n"), 0o666); err != nil {
		panic(err)
	}

	manifest, _, err := pipeline.Shard(context.Background(), pipeline.Options{
		Sources: []string{text}, Out: filepath.Join(dir, "shards"),
		Split: pipeline.SplitLine, Encoder: letters{},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(manifest.Totals(pipeline.TrainSplit).Tokens)

	set, err := pipeline.Open(filepath.Join(dir, "shards"))
	if err != nil {
		panic(err)
	}
	stream, err := set.Stream(pipeline.StreamOptions{Length: 9, Seed: 1})
	if err != nil {
		panic(err)
	}
	defer stream.Close()
	window := make([]int32, 9)
	if err := stream.Next(window); err != nil {
		panic(err)
	}
	fmt.Println(window, stream.Cursor().Epoch)
	// Output:
	// 7
	// [26 3 4 5 6 26 0 1 2] 1
}
