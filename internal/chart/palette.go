package chart

import "image/color"

// okabeIto is the colour-blind-safe palette of Okabe and Ito without its
// yellow, which is too pale on white.
func okabeIto(i int) color.RGBA {
	palette := [...]color.RGBA{
		{0x00, 0x72, 0xB2, 255}, // blue
		{0xD5, 0x5E, 0x00, 255}, // vermilion
		{0x00, 0x9E, 0x73, 255}, // bluish green
		{0xCC, 0x79, 0xA7, 255}, // reddish purple
		{0xE6, 0x9F, 0x00, 255}, // orange
		{0x56, 0xB4, 0xE9, 255}, // sky blue
		{0x33, 0x33, 0x33, 255}, // black, softened
	}
	n := len(palette)
	return palette[((i%n)+n)%n]
}

// viridis is the ramp of matplotlib at v in [0, 1], from dark purple to
// yellow, interpolated between eleven of its colours.
func viridis(v float64) color.RGBA {
	ramp := [...]color.RGBA{
		{68, 1, 84, 255},
		{72, 36, 117, 255},
		{65, 68, 135, 255},
		{53, 95, 141, 255},
		{42, 120, 142, 255},
		{33, 145, 140, 255},
		{34, 168, 132, 255},
		{68, 191, 112, 255},
		{122, 209, 81, 255},
		{189, 223, 38, 255},
		{253, 231, 37, 255},
	}
	last := len(ramp) - 1
	v = min(1, max(0, v)) * float64(last)
	i := min(int(v), last-1)
	return mix(ramp[i], ramp[i+1], v-float64(i))
}

// mix goes from a to b as w goes from 0 to 1.
func mix(a, b color.RGBA, w float64) color.RGBA {
	c := func(x, y uint8) uint8 { return uint8(float64(x)*(1-w) + float64(y)*w + .5) }
	return color.RGBA{c(a.R, b.R), c(a.G, b.G), c(a.B, b.B), 255}
}

// onPaper is the colour of a series on white: the newest of a history is the
// darkest, and the pale end of the ramp is left out.
func (f Figure) onPaper(s Series) color.RGBA {
	c := okabeIto(s.Color)
	if s.At != nil {
		c = rampOnPaper(f.Ramp.position(*s.At))
	}
	if s.Faint {
		c = mix(c, color.RGBA{255, 255, 255, 255}, .6)
	}
	return c
}

// rampOnPaper is the ramp turned and cut for a white background.
func rampOnPaper(position float64) color.RGBA { return viridis(.92 * (1 - position)) }

// onTerminal is the colour of a series on a dark background as an index into
// the 6 x 6 x 6 cube of the 256 xterm colours: the newest of a history is the
// brightest.
func (f Figure) onTerminal(s Series) int {
	c := okabeIto(s.Color)
	if s.At != nil {
		c = viridis(.25 + .75*f.Ramp.position(*s.At))
	} else {
		c = mix(c, color.RGBA{255, 255, 255, 255}, .2)
	}
	if s.Faint {
		c = mix(c, color.RGBA{0, 0, 0, 255}, .5)
	}
	level := func(v uint8) int { // levels 0 95 135 175 215 255
		if v < 48 {
			return 0
		}
		return min(5, max(1, (int(v)-35)/40))
	}
	return 16 + 36*level(c.R) + 6*level(c.G) + level(c.B)
}
