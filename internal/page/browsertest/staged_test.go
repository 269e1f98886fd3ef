package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// stage lets a test speak for the server, of what takes a run long or breaks it:
// answers[path] changes what is answered to a path, up to its question mark, asked
// counts how often it was asked for, and tell sends an event. sources and workers
// are those that the page has made.
const stage = `
	const [answers, asked, sources, workers] = [{}, {}, [], []];
	const [realFetch, RealSource, RealWorker] = [fetch, EventSource, Worker];
	fetch = async (address, init) => {
		const path = address.split("?")[0];
		asked[path] = (asked[path] ?? 0) + 1;
		const answer = await realFetch(address, init);
		return answers[path] ? answers[path](answer) : answer;
	};
	EventSource = class extends RealSource { constructor(address) { super(address); sources.push(this); } };
	Worker = class extends RealWorker { constructor(address) { super(address); workers.push(this); } };
	const json = change => async answer => { const value = await answer.json(); return Response.json(change(value) ?? value); };
	let held = null; // gives the answer that hold holds back
	const hold = answer => new Promise(give => { held = () => give(answer); });
	const event = about => sources.at(-1).dispatchEvent(new MessageEvent("message", {data: JSON.stringify({run: "0", step: 2000, state: "finished", ...about})}));
	const tell = (...changed) => event({changed});
`

// staged opens an address with the stage set.
func staged(t *testing.T, address string) *tab {
	t.Helper()
	b := open(t, address, "http://127.0.0.1:", wide)
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: stage})
		return err
	}), chromedp.Reload())
	b.settled()
	return b
}

// run evaluates statements in the page.
func (b *tab) run(statements string) {
	b.Helper()
	value[bool](b, "(() => { "+statements+"; return true })()")
}

// column gives the cells of a column, by the beginning of its name, of the table
// behind a chart, with spaces between.
func (b *tab) column(chart, name string) string {
	b.Helper()
	return fmt.Sprintf(`(c => {
		c.querySelector("details").open ||= true;
		const rows = [...c.querySelectorAll("tr")].map(r => [...r.children].map(e => e.textContent));
		const at = rows.length > 0 ? rows[0].findIndex(name => name.startsWith(%q)) : -1;
		return rows.slice(1).map(r => r[at]).join(" ");
	})([...document.querySelectorAll(".chart")].find(c => c.querySelector("h3").textContent === %q))`, name, chart)
}

// Skipped steps are counted by the run.
func TestSkipped(t *testing.T) {
	b := staged(t, serve(t, history(t)))
	b.run(`answers["/api/runs/0/curves"] = json(c => { c.training.skipped.fill(3) })`)
	b.panel("Run")
	b.until(`/^3( 3)+$/.test(` + b.column("Skipped steps", "skipped") + `)`)
}

// At a newer checkpoint the neighbours are others.
func TestNewerCheckpoint(t *testing.T) {
	address := serve(t, history(t))
	b := staged(t, address+"#panel=embeddings&token=5")
	b.until(`document.querySelectorAll(".near li").length === 10`)
	b.run(`
		answers["/api/runs/0/embeddings"] = json(e => { e.step++ });
		answers["/api/runs/0/neighbours"] = json(n => ({...n, neighbours: n.neighbours.slice(0, 3)}));
		tell("embeddings")`)
	b.until(`document.querySelectorAll(".near li").length === 3`)
}

// The history of the embeddings grows between two checkpoints.
func TestHistoryOfEmbeddings(t *testing.T) {
	b := staged(t, serve(t, history(t))+"#panel=embeddings")
	b.run(`
		answers["/api/runs/0/embeddings"] = json(e => { for (const column of Object.values(e.history)) column.push(column.at(-1)); e.history.step.push(7777) });
		tell("embeddings")`)
	b.until(`/ 7777$/.test(` + b.column("Effective rank", "training step") + `)`)
}

// Who turns away from UMAP while it still waits for the vectors gets none.
func TestUMAPStopped(t *testing.T) {
	for name, turn := range map[string]string{
		"PCA":           `location.hash = "panel=embeddings"`,
		"another panel": `document.querySelector("nav.panels a").click()`,
	} {
		t.Run(name, func(t *testing.T) {
			b := staged(t, serve(t, history(t))+"#panel=embeddings")
			b.run(`answers["/api/runs/0/vectors"] = hold`)
			b.pick(`document.querySelector(".mapbox select")`, "umap")
			b.until(`held`)
			b.run(turn)
			b.settled()
			value[bool](b, `(held(), new Promise(done => setTimeout(() => done(true), 300)))`)
			b.want(`workers.length === 0`)
			b.want(`!document.querySelector(".mapbox progress")`)
		})
	}
}

// A panel that is left before its data have come begins nothing.
func TestUMAPOfClosedPanel(t *testing.T) {
	b := staged(t, serve(t, history(t)))
	b.run(`
		answers["/api/runs/0/embeddings"] = hold;
		location.hash = "panel=embeddings&map=umap"`)
	b.until(`held`)
	b.run(`location.hash = "panel=warp&map=umap"`)
	b.settled()
	value[bool](b, `(held(), new Promise(done => setTimeout(() => done(true), 300)))`)
	b.want(`!asked["/api/runs/0/vectors"] && workers.length === 0`)
}

// What was read before a run was damaged can still be looked at, under what is
// wrong with it; the end of the problem shows as well.
func TestProblem(t *testing.T) {
	dir := in("damaged")
	if err := os.CopyFS(dir, os.DirFS(history(t))); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("{damage\n"); err != nil {
		t.Fatal(err)
	}
	b := staged(t, serve(t, dir))
	const banner = `document.querySelector("main > .problem[role=alert]")`
	b.want(banner + `.innerText.startsWith("damaged: read ")`)
	b.drawn(3)
	b.shot("problem")
	b.run(`was = document.querySelector(".plot canvas")`)
	b.run(`answers["/api/runs"] = json(a => { a.runs[0].problem = "" }); tell()`)
	b.until(banner + `.hidden`)
	b.run(`answers["/api/runs"] = json(a => { a.runs[0].problem = "new" }); event({problem: "new", changed: []})`)
	b.until(`!` + banner + `.hidden && ` + banner + `.innerText === "damaged: new"`)
	b.want(`document.querySelector(".plot canvas") === was`)
}

// What is saved is what is shown, also after a slider was moved.
func TestDownloadsOfView(t *testing.T) {
	b := staged(t, serve(t, history(t)))
	const hrefs = `[...document.querySelectorAll(".downloads a")].map(a => a.getAttribute("href").split("?")[1]).join()`
	b.want(hrefs + ` === ",,,"`)
	for _, panel := range []string{"Warp", "Loss by noise"} {
		b.panel(panel)
		b.keys(`document.querySelector(".slider input")`, "Home", "ArrowRight")
		b.until(hrefs + ` === "step=50,step=50,step=50,step=50"`)
		b.run(`location.hash = location.hash.replace("step=50", "step=53")`) // the nearest is shown
		b.until(hrefs + ` === "step=50,step=50,step=50,step=50"`)
		b.keys(`document.querySelector(".slider input")`, "End")
		b.until(hrefs + ` === ",,,"`)
	}
	b.panel("Canvas")
	b.run(`
		saved = [];
		HTMLAnchorElement.prototype.click = function () { saved.push(this.download) }`)
	save := func(sample string) {
		b.until(fmt.Sprintf(`(saved.length = 0, [...document.querySelectorAll(".downloads button")].find(e => e.textContent === "TXT").click(), new Promise(done => setTimeout(() => done(saved[0] === %q), 20)))`, "sample-"+sample+".txt"))
	}
	save("2000")
	b.keys(`document.querySelector(".slider input")`, "Home")
	b.until(`location.hash.includes("sample=500")`)
	save("500")
}

// A refresh takes the keyboard from nothing that is still there.
func TestRefreshKeepsFocus(t *testing.T) {
	b := staged(t, serve(t, history(t)))
	b.run(`answers["/api/runs/0/warp"] = json(w => { w.newest.step += 7; w.steps.push(w.newest.step) })`)
	b.run(`
		was = [...document.querySelectorAll(".legend button, .downloads > *")];
		was[0].focus();
		tell("warp")`)
	b.until(`was.some(e => e.innerText.includes("step 2,007"))`)
	b.settled()
	b.want(`was.length > 10 && was.every(e => e.isConnected) && document.activeElement === was[0]`)
	b.panel("Loss by noise")
	b.run(`was = document.querySelector(".tools select"); was.focus()`)
	b.pick(`document.querySelector(".tools select")`, "kind")
	b.until(`[...document.querySelectorAll(".legend")].some(l => l.innerText.includes("tokens"))`)
	b.want(`document.activeElement === was`)
	b.run(`location.hash = location.hash.replace("group=kind", "group=place")`)
	b.until(`was.value === "place"`)
}

// A page that nobody sees keeps no connection; seen again it shows what is new,
// where it was.
func TestHidden(t *testing.T) {
	b := staged(t, serve(t, history(t))+"#panel=canvas")
	b.write(`document.querySelector("textarea")`, "unsaved")
	hide := func(hidden bool) {
		b.run(fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %t, configurable: true}); document.dispatchEvent(new Event("visibilitychange"))`, hidden))
	}
	hide(true)
	b.want(`sources.length === 1 && sources[0].readyState === EventSource.CLOSED`)
	b.run(`
		answers["/api/runs"] = json(a => { a.runs[0].step = 1234 });
		answers["/api/runs/0/samples"] = json(a => { a.seed = 4321 })`)
	hide(false)
	b.until(`sources.length === 2 && sources[1].readyState === EventSource.OPEN`)
	b.until(`document.querySelector(".status").innerText.includes("step 1,234")`)
	b.until(`document.querySelector(".about").textContent.includes("seed 4321")`)
	b.want(`document.querySelector("textarea").value === "unsaved"`)
	b.want(`document.querySelector(".status .state").textContent === "finished"`)
}

// Noise levels without observations have no bar.
func TestEmptyBins(t *testing.T) {
	b := staged(t, serve(t, history(t)))
	b.run(`answers["/api/runs/0/warp"] = json(w => {
		w.newest.warp.observed = [[0.2, 1], [1, 4], [10, 50]].map(([t_lo, t_hi]) => ({t_lo, t_hi, t: Math.sqrt(t_lo * t_hi), loss: 1, loss_se: 0.1, effective: 7}));
	})`)
	b.panel("Loss by noise")
	b.until(`(` + b.column("Observations behind each point", "observations") + `) === "7 7 0 7"`)
	b.shot("empty-bins")
}

// Where only the beginning of the text was counted, it says so.
func TestCounted(t *testing.T) {
	b := staged(t, serve(t, history(t), "--stream", shards(t)))
	b.run(`answers["/api/shards"] = json(s => { s.counted = 1500 })`)
	b.panel("Shards")
	b.until(`document.querySelector(".chart .about").innerText === "Of the first 1,500 documents."`)
	b.shot("counted-shards")
	b.panel("Embeddings")
	b.until(`document.querySelector(".ramp").innerText.includes("times in the first 1,500 documents")`)
	b.until(`(` + b.column("Norm against frequency", "times in the first 1,500 documents") + `).length > 0`)
	b.shot("counted-embeddings")
}
