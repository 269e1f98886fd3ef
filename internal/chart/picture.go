package chart

import (
	"fmt"
	"image/color"
	"io"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/seed-4c77ef92/textwarp/internal/printable"
)

// Format is the kind of picture.
type Format int

// The formats of WritePicture.
const (
	PNG Format = iota
	SVG
)

// Size of one figure on a page, and the resolution of a PNG.
const (
	panelWidth  = 5.6 * vg.Inch
	panelHeight = 4.2 * vg.Inch
	pngDPI      = 160
)

// WritePicture draws the figures on one page, two side by side. At the stated
// 5.6 inches a figure spans a page's column with text of 9 to 11 points.
func WritePicture(w io.Writer, format Format, figures []Figure) error {
	if len(figures) == 0 {
		return fmt.Errorf("draw picture: there are no figures")
	}
	for _, f := range figures {
		if err := f.Validate(); err != nil {
			return err
		}
	}
	columns := min(2, len(figures))
	rows := (len(figures) + columns - 1) / columns
	width, height := panelWidth*vg.Length(columns), panelHeight*vg.Length(rows)

	var canvas vg.CanvasWriterTo
	if format == SVG {
		canvas = vgsvg.NewWith(vgsvg.UseWH(width, height))
	} else {
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))}
	}
	page := draw.NewCanvas(canvas, width, height)
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	for i, f := range figures {
		left, top := panelWidth*vg.Length(i%columns), height-panelHeight*vg.Length(i/columns)
		panel := page
		panel.Rectangle = vg.Rectangle{
			Min: vg.Point{X: left, Y: top - panelHeight},
			Max: vg.Point{X: left + panelWidth, Y: top},
		}
		drawPanel(draw.Crop(panel, 10, -14, 8, -8), f)
	}
	_, err := canvas.WriteTo(w)
	return err
}

// drawPanel stacks title, legend and plot, with the key of the ramp at the
// right; each takes its room away from the canvas that remains.
func drawPanel(c draw.Canvas, f Figure) {
	title := textStyle(11, true)
	c.Max.Y -= title.FontExtents().Ascent
	c.FillText(title, vg.Point{X: c.Min.X, Y: c.Max.Y}, printable.Line(f.Title))
	c.Max.Y -= title.FontExtents().Descent + 3
	c = drawLegend(c, f)
	c.Max.Y -= 4
	if f.Ramp != nil {
		c = drawRamp(c, *f.Ramp)
	}
	drawPlot(c, f)
}

// drawPlot draws axes and data. It writes the titles of the axes itself: gonum
// centres them by value, which on a logarithmic axis is not the middle.
func drawPlot(c draw.Canvas, f Figure) {
	title := textStyle(10, false)
	title.XAlign = text.XCenter
	line := title.FontExtents().Height
	bottom, left := c.Min.Y+title.FontExtents().Descent, c.Min.X+title.FontExtents().Ascent
	c.Min.X += line + 5
	c.Min.Y += line + 3
	p := f.plot(c)
	p.Draw(c)
	area := p.DataCanvas(c)
	data := area.Center()
	c.FillText(title, vg.Point{X: data.X, Y: bottom}, printable.Line(f.X.Title()))
	title.Rotation = math.Pi / 2
	c.FillText(title, vg.Point{X: left, Y: data.Y}, printable.Line(f.Y.Title()))
}

// textStyle is the one typeface of all pictures.
func textStyle(size vg.Length, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: ink(), Font: f, Handler: text.Plain{Fonts: font.DefaultCache}}
}

func ink() color.RGBA  { return color.RGBA{0x22, 0x22, 0x22, 255} }
func rule() color.RGBA { return color.RGBA{0xE2, 0xE2, 0xE2, 255} }
