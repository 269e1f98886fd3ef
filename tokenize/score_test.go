package tokenize

import "testing"

// TestParseScore: values that Hugging Face tokenizers 0.23.3 makes of a number, written
// back by it, where they differ from the nearest float and where they do not.
func TestParseScore(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64
	}{
		{"-13.536970796999487", -13.536970796999489},
		{"-14.472780206791537", -14.472780206791535},
		{"-14.429688151665367", -14.429688151665369},
		{"-11.780045159651033", -11.780045159651031},
		{"-1.7293517945649661", -1.729351794564966},
		{"-2.000005421922543824564e+00", -2.000005421922544},
		{"-1.00159940028847120885303e+01", -10.015994002884712},
		{"-3.7969945823205275559076", -3.7969945823205276},
		{"0", 0},
		{"-1.5", -1.5},
		{"-1e-400", 0},
		{"12e1", 120},
	} {
		if got, err := parseScore(c.text); err != nil || got != c.want {
			t.Errorf("%s is %v, %v; want %v", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "-", "x", "1e999", "NaN", "0x1p3", "1_0", `"1"`, "1e", "null"} {
		if got, err := parseScore(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestReplacePatterns: what is not implemented is refused.
func TestReplacePatterns(t *testing.T) {
	for _, pattern := range []string{"", "a|b", "(a)", "a*", "a?", "a{2}", "a{0,}", "[^a]", "[a-z]", "[]", "[a", `\w+`, `\p{L}`, `\u00`, `\`, "ab", ".+", "^a", "a+?"} {
		if p, err := parseRepeated(pattern); err == nil {
			t.Errorf("%q is taken for %+v", pattern, p)
		}
	}
}
