// Package chart draws figures: a terminal chart, a PNG or SVG picture, and CSV
// come from one value.
//
//	Figure ──▶ WriteTerminal   braille cells, any width from 40 columns, colour optional
//	       ──▶ WritePicture    PNG or SVG, several figures tiled on one page
//	       ──▶ WriteCSV        one long table, every point of every series
//
// A Figure says what is shown (axes with units and scales, series, a colour
// ramp for a history); the package decides how. Nothing that is drawn covers
// data: legends stand between the title and the plot, the key of a ramp beside
// it, and point labels that would collide are left out.
//
// Invariants: the same figure gives the same bytes; points that are not finite
// (on a logarithmic axis: not positive) are gaps and never an error or a
// panic; text is made printable, so that hostile token text cannot control a
// terminal.
//
// Series take the palette of Okabe and Ito ("Color universal design", 2008),
// histories the viridis ramp (van der Walt and Smith, 2015), whose lightness is
// monotone: both survive colour blindness and grey printing.
package chart
