package browsertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A run that is being written: the page follows it by itself, what is looked at
// stays as it is, and the end of the run shows.
func TestLive(t *testing.T) {
	stream := shards(t)
	command(t, "train", append(small(stream, in("live"), 1_000_000), "--dry-run")...) // builds, and refuses what it would refuse
	train := exec.Command(in("train"), append(small(stream, in("live"), 1_000_000), "--set", "run.sample_every=50", "--set", "run.eval_every=100")...)
	if err := train.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end := func() {
		if !ended {
			ended = true
			train.Process.Signal(os.Interrupt)
			train.Wait()
		}
	}
	t.Cleanup(end)
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(in("live"), "metrics.jsonl")); err == nil {
			break
		}
		if time.Since(begun) > patience {
			t.Fatal("the run does not begin")
		}
	}
	address := serve(t, in("live"))
	b := open(t, address+"#panel=run", address, wide)
	b.until(`document.querySelector(".status .state").textContent === "training"`)
	b.until(`/tokens\/s .* left/.test(document.querySelector(".status").innerText)`)
	const step = `Number(/step ([\d,]+)/.exec(document.querySelector(".status").innerText)[1].replaceAll(",", ""))`
	const drawn = `Number(document.querySelector(".tiles dd")?.textContent.split(" ")[0].replaceAll(",", ""))`
	from := value[int](b, step)
	b.until(step + " > 0 && " + drawn + ` > 0 && document.querySelector(".plot canvas")`)
	value[bool](b, `(window.was = [document.querySelector(".plot canvas"), `+drawn+`], true)`)
	b.until(step + " > " + strconv.Itoa(from+100))
	b.until(drawn + " > window.was[1]")
	b.want(`document.querySelector(".plot canvas") === window.was[0]`) // updated, not built anew
	for _, panel := range []string{"Warp", "Loss by noise", "Embeddings", "Canvas"} {
		b.panel(panel)
		b.fits()
	}
	b.shot("live")
	end()
	b.until(`document.querySelector(".status .state").textContent === "stopped"`)
}

// A run that is looked at before it has begun shows by itself when it has.
func TestBeginning(t *testing.T) {
	whole, dir := history(t), in("beginning")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b := open(t, serve(t, dir), "http://127.0.0.1:", wide)
	b.until(`document.querySelector(".problem").innerText.includes("config.toml")`)
	if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	b.until(`document.querySelectorAll(".plot canvas").length === 3 && !document.querySelector(".problem:not([hidden])")`)
	b.want(`document.querySelector(".status").innerText.includes("2,000 of 2,000")`)
}

// A server that ends is said, and what was shown stays.
func TestServerGone(t *testing.T) {
	run := history(t)
	address, stop := start(t, run)
	b := open(t, address, address, wide)
	b.allow(`net::ERR_`) // what the browser says of the events that end
	stop()
	b.until(`document.querySelector(".status .state").textContent.includes("server gone")`)
	b.want(`document.querySelectorAll(".plot canvas").length === 3`)
	b.click(`[...document.querySelectorAll("nav.panels a")].find(a => a.textContent === "Run")`)
	b.until(`document.querySelector(".problem:not([hidden])")?.innerText.includes("does not answer")`)
}

// Who asks for less motion gets none; the keyboard reaches everything and shows
// where it is.
func TestKeyboard(t *testing.T) {
	address := serve(t, history(t))
	b := open(t, address, address, narrow)
	b.want(`[...document.querySelectorAll("*")].every(e => getComputedStyle(e).animationName === "none")`)
	b.do(chromedp.KeyEvent(kb.Tab))
	b.want(`document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().left >= 0`)
	seen := map[string]bool{}
	for range 24 {
		b.do(chromedp.KeyEvent(kb.Tab))
		b.want(`(e => e === document.body || getComputedStyle(e).outlineStyle !== "none" && parseFloat(getComputedStyle(e).outlineWidth) >= 2)(document.activeElement)`)
		seen[value[string](b, `document.activeElement.tagName + "." + document.activeElement.className`)] = true
	}
	for _, name := range []string{"A.", "BUTTON.play", "INPUT.", "DIV.plot tall", "SUMMARY."} {
		if !seen[name] {
			t.Errorf("the tabulator does not reach %s; it reaches %v", name, seen)
		}
	}
}
