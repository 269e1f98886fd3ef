package manual

import "testing"

func TestMarkdown(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"prose", "Read it.\nAll of it.\n\nThen go.", "Read it.\nAll of it.\n\nThen go."},
		{"signs", "[MASK:n], a*b, <eos> and held_out", `\[MASK:n\], a\*b, \<eos\> and held\_out`},
		{"a table", "Read are\n\n  .txt  text\n\n  .md   text\n\nand more", "Read are\n\n\n      .txt  text\n\n      .md   text\n\n\nand more"},
		{"a table right below", "By --rank\n  mbr  x_y\nas well", "By --rank\n\n      mbr  x_y\n\nas well"},
		{"a section", "Text.\n\nEXIT STATUS\n   0  done", "Text.\n\n# EXIT STATUS\n\n       0  done"},
	}
	for _, c := range cases {
		if got := markdown(c.in); got != c.want {
			t.Errorf("%s: got\n%q, want\n%q", c.name, got, c.want)
		}
	}
}
