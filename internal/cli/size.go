package cli

import (
	"errors"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes such as 512K or 16M; a B or iB may follow.
// Units are powers of 1,024.
func ParseSize(s string) (int64, error) {
	upper := strings.ToUpper(s)
	digits := strings.TrimRight(upper, "KMGTIB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 {
		return 0, errors.New("not a positive number of bytes")
	}
	unit := strings.TrimSuffix(strings.TrimSuffix(upper[len(digits):], "B"), "I")
	shift, ok := map[string]int{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[unit]
	if !ok || n > 1<<62>>shift {
		return 0, errors.New("not a number of bytes with K, M, G, T or nothing behind")
	}
	return n << shift, nil
}
