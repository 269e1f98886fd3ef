package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Each panel of a run with a history, wide and narrow, light and dark: what can be
// chosen there, the table behind each chart, the downloads, and the link that
// opens the same view again.
func TestPanels(t *testing.T) {
	run := history(t)
	address := serve(t, run, run, "--stream", shards(t))
	for name, l := range map[string]look{"wide": wide, "narrow": narrow} {
		t.Run(name, func(t *testing.T) {
			b := open(t, address, address, l)
			for _, panel := range []struct {
				name   string
				charts int
				try    func(b *tab)
			}{
				{"Warp", 3, tryWarp},
				{"Loss by noise", 4, tryLoss},
				{"Embeddings", 6, tryEmbeddings},
				{"Canvas", 1, tryCanvas},
				{"Run", 6, tryRun},
				{"Shards", 1, tryShards},
			} {
				value[bool](b, `(location.hash = "", true)`)
				b.panel(panel.name)
				b.fits()
				b.shot(name + "-" + panel.name)
				if panel.name != "Canvas" {
					b.drawn(panel.charts)
				}
				b.tables(panel.charts)
				b.named()
				b.downloads()
				panel.try(b)
				b.fits()
				b.reopens()
			}
		})
	}
}

func tryWarp(b *tab) {
	b.Helper()
	b.want(`document.querySelector(".slider input").max >= 40`) // a snapshot each 50 steps
	before := value[string](b, `document.querySelector(".slider output").textContent`)
	b.want(fmt.Sprintf(`%q === "2,000"`, before))
	b.keys(`document.querySelector(".slider input")`, "ArrowLeft", "ArrowLeft")
	b.until(`location.hash.includes("step=1900")`)
	b.until(`document.querySelector(".legend").innerText.includes("learned, step 1,900")`)
	for _, schedule := range []string{"uniform", "log-uniform", "karras", "sqrt", "cosine"} {
		b.want(fmt.Sprintf(`document.querySelector(".legend").innerText.includes(%q)`, schedule))
	}
	b.click(`document.querySelector(".play")`)
	b.until(`!location.hash.includes("step=1900")`)
	b.click(`document.querySelector(".play")`)
	b.keys(`document.querySelector(".slider input")`, "Home", "ArrowRight")
	b.until(`location.hash.includes("step=50")`)
	// The cursor of a chart goes by keys, and what it points at is said.
	b.keys(`document.querySelector(".plot")`, "ArrowRight", "ArrowRight")
	b.until(`/noise level.*learned/.test(document.querySelector(".chart .spoken").textContent)`)
	// A press on the legend hides a line.
	b.click(`document.querySelectorAll(".legend button")[1]`)
	b.want(`document.querySelectorAll(".legend button")[1].getAttribute("aria-pressed") === "false"`)
}

func tryLoss(b *tab) {
	b.Helper()
	for _, line := range []string{"observed", "fitted", "held out"} {
		b.want(fmt.Sprintf(`document.querySelector(".legend").innerText.includes(%q)`, line))
	}
	for _, group := range []string{"kind", "place"} {
		b.pick(`document.querySelector(".tools select")`, group)
		b.until(fmt.Sprintf(`location.hash.includes("group=%s")`, group))
	}
	b.until(`[...document.querySelectorAll(".legend")].some(l => l.innerText.includes("tokens"))`)
}

func tryEmbeddings(b *tab) {
	b.Helper()
	b.want(`document.querySelectorAll(".tiles dd").length >= 7`)
	b.write(`document.querySelector(".side input")`, "the")
	b.until(`document.querySelectorAll(".found button").length > 3`)
	b.click(`document.querySelector(".found button")`)
	b.until(`document.querySelectorAll(".near li").length === 10`)
	b.until(`/token=\d+/.test(location.hash)`)
	b.click(`document.querySelector(".near button")`)
	b.until(`document.querySelectorAll(".near li").length === 10`)
	b.pick(`document.querySelectorAll(".mapbox select")[1]`, "norm")
	b.until(`document.querySelector(".ramp").innerText.includes("raw norm")`)
	b.pick(`document.querySelector(".mapbox select")`, "umap")
	b.until(`!document.querySelector(".mapbox progress")`)
	b.shot(fmt.Sprintf("umap-%d", value[int](b, "innerWidth")))
	b.pick(`document.querySelector(".mapbox select")`, "pca")
}

func tryCanvas(b *tab) {
	b.Helper()
	b.want(`document.querySelectorAll(".moment .token").length === 16`) // the window of the run
	b.keys(`document.querySelectorAll(".slider input")[1]`, "Home")
	b.until(`location.hash.includes("frame=0")`)
	b.keys(`document.querySelectorAll(".slider input")[0]`, "Home")
	b.until(`/sample=\d+/.test(location.hash)`)
	// A text with a hole is filled while one looks.
	b.write(`document.querySelector("textarea")`, "KING: [MASK:4] crown")
	b.want(`document.querySelector(".write select").value === "infill"`)
	for i, setting := range []string{"temperature=0.5", "guidance=2", "length=12", "seed=7"} {
		_, number, _ := strings.Cut(setting, "=")
		b.write(fmt.Sprintf(`document.querySelectorAll(".write input")[%d]`, i+1), number)
		b.run(`document.activeElement.blur()`)
		b.want(fmt.Sprintf(`location.hash.includes(%q)`, setting))
	}
	b.click(`document.querySelector(".go")`)
	b.until(`/^done/.test(document.querySelector(".write .value").textContent)`)
	b.want(`document.querySelectorAll(".box:last-child .token.given").length > 2`)
	b.shot(fmt.Sprintf("written-%d", value[int](b, "innerWidth")))
	// And one that is stopped says so.
	b.write(`document.querySelector(".write input")`, "1000")
	b.click(`document.querySelector(".go")`)
	b.until(`/step \d+ of/.test(document.querySelector(".write .value").textContent)`)
	b.click(`[...document.querySelectorAll(".write button")].find(e => e.textContent === "Stop")`)
	b.until(`document.querySelector(".write .value").textContent === "stopped"`)
}

func tryRun(b *tab) {
	b.Helper()
	b.click(`document.querySelectorAll(".check input")[1]`)
	b.until(`document.querySelectorAll(".chart .legend")[0].querySelectorAll("button").length === 2`)
	b.want(`location.hash.includes("runs=0%2C1")`)
	b.pick(`[...document.querySelectorAll(".bar select")][0]`, "tokens")
	b.until(`document.querySelector(".plot").ariaLabel.includes("tokens seen")`)
	b.pick(`[...document.querySelectorAll(".bar select")][1]`, "log")
	b.until(`location.hash.includes("scale=log")`)
}

func tryShards(b *tab) {
	b.Helper()
	b.want(`document.querySelectorAll(".documents tbody tr").length === 50`)
	b.click(`document.querySelectorAll(".documents .open")[3]`)
	b.until(`location.hash.includes("doc=3")`)
	b.until(`document.querySelectorAll(".document .token").length > 3`)
	b.click(`[...document.querySelectorAll(".documents button")].find(e => e.textContent.includes("Later"))`)
	b.until(`document.querySelector(".documents .bar").innerText.includes("51–100")`)
}

// drawn fails unless so many charts have something on them.
func (b *tab) drawn(charts int) {
	b.Helper()
	b.until(fmt.Sprintf(`document.querySelectorAll(".plot").length === %d`, charts))
	empty := value[string](b, `[...document.querySelectorAll(".chart")].filter(c => {
		const canvas = c.querySelector(".plot canvas");
		if (!c.querySelector(".plot")) return false;
		if (!canvas) return true;
		const seen = new Set(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer));
		return seen.size < 8;
	}).map(c => c.querySelector("h3").textContent).join(", ")`)
	if empty != "" {
		b.Errorf("nothing is drawn in: %s", empty)
	}
}

// tables opens the table behind each chart.
func (b *tab) tables(charts int) {
	b.Helper()
	b.want(fmt.Sprintf(`document.querySelectorAll(".chart > .behind, .chart > div > .behind, .sharpening .behind").length >= %d`, charts))
	value[bool](b, `(document.querySelectorAll(".chart .behind").forEach(d => d.open = true), true)`)
	b.until(`[...document.querySelectorAll(".chart .behind")].every(d => d.querySelector("th"))`)
	b.fits()
	value[bool](b, `(document.querySelectorAll(".chart .behind").forEach(d => d.open = false), true)`)
}

// downloads asks for what each link of the panel gives.
func (b *tab) downloads() {
	b.Helper()
	got := value[string](b, `Promise.all([...document.querySelectorAll(".downloads a")].map(async a => {
		const answer = await fetch(a.href);
		const size = (await answer.arrayBuffer()).byteLength;
		return a.textContent + " " + answer.status + " " + answer.headers.get("Content-Type").split(";")[0] + (size > 100 ? "" : " of " + size + " bytes");
	})).then(all => all.join(", "))`)
	want := "PNG 200 image/png, SVG 200 image/svg+xml, CSV 200 text/csv, JSON 200 application/json"
	if got == "" { // the canvas: made by the page
		got = value[string](b, `[...document.querySelectorAll(".downloads button:not(.link)")].map(e => e.textContent).join(" ")`)
		want = "JSON CSV TXT"
	}
	if got != want {
		b.Errorf("downloads are %s; want %s", got, want)
	}
}

// reopens opens the view's address anew and compares what is shown.
func (b *tab) reopens() {
	b.Helper()
	const shown = `JSON.stringify([
		location.hash, document.querySelector(".panel h2").textContent,
		[...document.querySelectorAll(".slider output")].slice(0, 2).map(e => e.textContent),
		[...document.querySelectorAll(".panel select, .write input, .write textarea")].map(e => e.value), [...document.querySelectorAll(".check input")].map(e => e.checked),
		[...document.querySelectorAll(".near h4")].map(e => e.textContent), [...document.querySelectorAll(".document")].map(e => e.textContent),
	])`
	b.settled()
	before := value[string](b, shown)
	b.do(chromedp.Reload())
	b.settled()
	b.until(fmt.Sprintf(`%s === %q`, shown, before))
}

// named fails where something that one can act on, or a picture, has no name for
// who does not see it, or a place in the order of the tabulator of its own.
func (b *tab) named() {
	b.Helper()
	nameless := value[string](b, `[...document.querySelectorAll("a, button, input, select, textarea, summary, progress, canvas, figure, [role], [tabindex]")]
		.filter(e => e.checkVisibility() && !e.closest("[aria-hidden=true]"))
		.filter(e => e.tabIndex > 0 || !(e.ariaLabel || e.labels?.[0]?.textContent || e.closest("[role=img], [aria-label]") ||
			document.getElementById(e.getAttribute("aria-labelledby"))?.textContent || e.querySelector("figcaption")?.textContent ||
			(e.matches("a, button, summary, [role=status], [role=alert], [role=list]") && (e.textContent || e.role))))
		.map(e => e.outerHTML.slice(0, 100)).join("; ")`)
	if nameless != "" {
		b.Errorf("without a name: %s", nameless)
	}
}
