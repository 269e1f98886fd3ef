package tokenize

import (
	"fmt"
	"math"
	"strconv"
)

// parseScore reads a number the way Hugging Face's JSON reader does, serde_json: the
// digits as an integer, divided or multiplied by a power of ten. That is the nearest
// float only if both are exact; otherwise it may be the one next to it, and two
// spellings that score the same for one reader may differ for the other.
func parseScore(text string) (float64, error) {
	// The usual reader checks most of the syntax, and the range.
	right, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(right, 0) || math.IsNaN(right) {
		return 0, fmt.Errorf("score %q is not a number", text)
	}
	var digits uint64
	exponent, negative, fraction, full := 0, false, false, false
	for i := range len(text) {
		switch b := text[i]; {
		case b == '-':
			negative = true
		case b == '.':
			fraction = true
		case b == 'e' || b == 'E':
			e, err := strconv.Atoi(text[i+1:])
			if err != nil {
				return 0, fmt.Errorf("score %q is not a number", text)
			}
			return scaled(digits, exponent+e, negative), nil
		case b < '0' || b > '9':
			return 0, fmt.Errorf("score %q is not a number", text)
		case full || digits > (math.MaxUint64-uint64(b-'0'))/10:
			// Digits that do not fit are dropped.
			full = true
			if !fraction {
				exponent++
			}
		default:
			digits = digits*10 + uint64(b-'0')
			if fraction {
				exponent--
			}
		}
	}
	return scaled(digits, exponent, negative), nil
}

func scaled(digits uint64, exponent int, negative bool) float64 {
	f := float64(digits)
	for ; exponent < -308 && f != 0; exponent += 308 {
		f /= 1e308
	}
	if exponent < 0 {
		f /= math.Pow10(-exponent)
	} else {
		f *= math.Pow10(exponent)
	}
	if negative {
		return -f
	}
	return f
}
