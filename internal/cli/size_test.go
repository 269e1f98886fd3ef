package cli

import "testing"

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "512K": 512 << 10, "16M": 16 << 20, "3g": 3 << 30, "2T": 2 << 40, "10GB": 10 << 30, "10GiB": 10 << 30, "7B": 7,
		"": 0, "0": 0, "-1": 0, "M": 0, "1.5G": 0, "10X": 0, "10MM": 0, "9000000000000T": 0, "1 G": 0,
	} {
		if got, err := ParseSize(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}
