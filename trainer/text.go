package trainer

import (
	"strings"

	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// Text decodes a window, which may run over the ends of documents, with a blank
// line between one document and the next.
func Text(tok *tokenize.Tokenizer, ids []int32) string {
	var parts []string
	for begin := 0; begin <= len(ids); {
		end := begin
		for end < len(ids) && ids[end] != tok.EOS() {
			end++
		}
		parts = append(parts, string(tok.Decode(nil, ids[begin:end])))
		begin = end + 1
	}
	return strings.Join(parts, "\n\n")
}
