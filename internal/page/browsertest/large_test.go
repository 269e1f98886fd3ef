package browsertest

import (
	"fmt"
	"testing"
)

// 50,000 tokens, some of which mean harm: nothing of them is run, everything of
// them can be seen, and the map moves as fast as the screen is drawn.
func TestLarge(t *testing.T) {
	run, stream := large(t)
	address := serve(t, run, "--stream", stream)
	for name, l := range map[string]look{"wide": wide, "narrow": narrow} {
		t.Run(name, func(t *testing.T) {
			b := open(t, address, address, l)
			for _, panel := range []string{"Warp", "Loss by noise", "Canvas", "Run", "Shards"} {
				b.panel(panel)
				b.fits()
				b.harmlessTokens()
			}
			for i := range 3 {
				b.click(fmt.Sprintf(`document.querySelectorAll(".documents .open")[%d]`, i))
				b.until(`document.querySelectorAll(".document .token").length > 0`)
				b.fits()
			}
			b.until(`document.querySelector(".documents").textContent.includes("<script>owned=1</script>")`)
			b.panel("Embeddings")
			b.want(`document.querySelector(".tiles").innerText.includes("50,000 × 16")`)
			for id := range hostile {
				b.write(`document.querySelector(".side input")`, fmt.Sprintf("#%d", id+1))
				b.until(`document.querySelectorAll(".side .found button").length === 1`)
				b.click(`document.querySelector(".side .found button")`)
				b.until(fmt.Sprintf(`location.hash.includes("token=%d&") || location.hash.endsWith("token=%[1]d")`, id+1))
				b.until(`document.querySelectorAll(".near li").length === 10`)
				b.fits()
			}
			b.until(`document.querySelector(".side .found").textContent !== ""`)
			b.harmlessTokens()
			b.shot(name + "-large")
			frames := b.frames()
			t.Logf("the map of 50,000 tokens at %d pixels: %s", l.width, frames.said)
			// A tenth of a second is what a busy machine with one core free may take.
			if frames.drawn > 100 {
				t.Errorf("a frame of the map takes %.1f ms", frames.drawn)
			}
		})
	}
}

// harmlessTokens fails where a token became something else than text, or turns or
// hides what stands beside it.
func (b *tab) harmlessTokens() {
	b.Helper()
	b.want(`typeof owned === "undefined"`)
	b.want(`!document.querySelector("main script, main img, main iframe, main a[href^=javascript]")`)
	bad := value[string](b, `(() => {
		const text = document.querySelector("main").textContent + [...document.querySelectorAll("[title], [aria-label]")].map(e => e.title + e.ariaLabel).join("");
		const found = text.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]|\p{M}{5}/gu);
		return found ? found.map(c => "U+" + c.codePointAt(0).toString(16)).join(" ") : "";
	})()`)
	if bad != "" {
		b.Errorf("what cannot be seen is not spelled out: %s", bad)
	}
}

type frames struct {
	drawn float64 // milliseconds of work a frame
	said  string
}

// frames drags the map about and zooms it for two seconds, and watches.
func (b *tab) frames() frames {
	b.Helper()
	got := value[[]float64](b, `new Promise(done => {
		const canvas = document.querySelector(".map canvas");
		canvas.scrollIntoView({block: "center"});
		const box = canvas.getBoundingClientRect();
		const [cx, cy] = [box.left + box.width / 2, box.top + box.height / 2];
		const send = (type, dx) => canvas.dispatchEvent(new PointerEvent(type, {pointerId: 1, clientX: cx + dx, clientY: cy, bubbles: true}));
		canvas.setPointerCapture = () => undefined; // there is no real pointer
		send("pointerdown", 0);
		let [n, last, work, longest, began] = [0, 0, 0, 0, 0];
		// What is asked for in one frame is drawn in the next, before the second of these is called.
		const frame = now => {
			began ||= now;
			if (last) longest = Math.max(longest, now - last);
			last = now;
			n++;
			send("pointermove", 60 * Math.sin(n / 9));
			canvas.dispatchEvent(new WheelEvent("wheel", {deltaY: 30 * Math.cos(n / 20), clientX: cx, clientY: cy, cancelable: true}));
			requestAnimationFrame(next => {
				work += performance.now() - next;
				if (next - began < 2000) frame(next);
				else { send("pointerup", 0); done([n / (next - began) * 1000, work / n, longest]); }
			});
		};
		requestAnimationFrame(frame);
	})`)
	return frames{got[1], fmt.Sprintf("%.0f frames a second, %.1f ms of work each, %.0f ms between two at most", got[0], got[1], got[2])}
}
