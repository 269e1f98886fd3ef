package chart

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// WriteCSV writes all points of the figures as one table with the columns
//
//	figure, series, at, x, x_end, y, stderr, label
//
// where at is the place of the series on the ramp, and x_end the right edge of
// a bar. A field that does not apply is empty; numbers are the shortest text
// that reads back exactly.
func WriteCSV(w io.Writer, figures []Figure) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"figure", "series", "at", "x", "x_end", "y", "stderr", "label"}); err != nil {
		return err
	}
	for _, f := range figures {
		if err := f.Validate(); err != nil {
			return err
		}
		for _, s := range f.Series {
			for i, y := range s.Y {
				row := []string{f.Name, s.Name, "", number(s.X[i]), "", number(y), "", ""}
				if s.At != nil {
					row[2] = number(*s.At)
				}
				if s.Kind == Bars {
					row[4] = number(s.X[i+1])
				}
				if s.StdErr != nil {
					row[6] = number(s.StdErr[i])
				}
				if s.Labels != nil {
					row[7] = printable.Line(s.Labels[i])
				}
				if err := c.Write(row); err != nil {
					return err
				}
			}
		}
	}
	c.Flush()
	return c.Error()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
