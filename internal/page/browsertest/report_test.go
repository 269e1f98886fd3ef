package browsertest

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// The report opens from disk, asks for nothing but itself, has all panels on one
// page, finds neighbours and lays out tokens without a server, and prints.
func TestReport(t *testing.T) {
	run, stream := history(t), shards(t)
	file := in("report.html")
	command(t, "inspect", "report", run, "--stream", stream, "-o", file)
	address := "file://" + file
	for name, l := range map[string]look{"wide": wide, "narrow": narrow} {
		t.Run(name, func(t *testing.T) {
			b := open(t, address, address, l)
			b.want(`[...document.querySelectorAll(".panel")].map(p => p.id).join() === "panel-warp,panel-loss,panel-embeddings,panel-canvas,panel-run,panel-shards"`)
			b.want(`document.querySelectorAll(".problem:not([hidden])").length === 0`)
			b.want(`document.querySelectorAll("main > .tiles dd").length >= 6`)
			b.drawn(20)
			b.tables(20)
			b.fits()
			b.shot(name + "-report")
			b.keys(`document.querySelector("#panel-warp .slider input")`, "Home", "ArrowRight")
			b.until(`/step=\d+/.test(location.hash)`)
			b.until(`document.querySelector("#panel-warp .legend").innerText.includes("learned, step " + document.querySelector("#panel-warp output").textContent)`)
			b.write(`document.querySelector(".side input")`, "the")
			b.until(`document.querySelectorAll(".side .found button").length > 3`)
			b.click(`document.querySelector(".side .found button")`)
			b.until(`document.querySelectorAll(".near li").length === 10`)
			b.pick(`document.querySelector(".mapbox select")`, "umap")
			b.until(`document.querySelector(".mapbox select").value === "umap" && !document.querySelector(".mapbox progress")`)
			b.want(`!document.querySelector("#panel-canvas textarea")`) // nobody is there to write
			b.want(`[...document.querySelectorAll("#panel-warp .downloads button")].map(e => e.textContent).join(" ") === "PNG SVG CSV JSON Copy link"`)
			b.want(`document.querySelectorAll(".problem:not([hidden])").length === 0`)
		})
	}
	t.Run("printed", func(t *testing.T) {
		b := open(t, address, address, look{width: 1440, height: 900, dark: true})
		b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			pdf, err := chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPrintBackground())(ctx, target)
			if err != nil {
				return err
			}
			pages := bytes.Count(pdf, []byte("/Type /Page\n"))
			if pages < 3 || pages > 20 {
				t.Errorf("the report has %d pages on paper", pages)
			}
			if dir := os.Getenv("TEXTWARP_SHOTS"); dir != "" {
				return os.WriteFile(dir+"/report.pdf", pdf, 0o644)
			}
			return nil
		}))
		// Back on the screen it is as dark as it was.
		b.until(`!document.documentElement.classList.contains("printing")`)
		b.want(`getComputedStyle(document.body).backgroundColor === "rgb(20, 21, 23)"`)
	})
}
