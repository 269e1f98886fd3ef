package browsertest

import (
	"fmt"
	"os"
	"testing"
)

// Pictures of every panel and of the report to be looked at, and for the gallery:
// wide and narrow, light and dark.
func TestPictures(t *testing.T) {
	if os.Getenv("TEXTWARP_SHOTS") == "" {
		t.Skip("TEXTWARP_SHOTS names no directory for pictures")
	}
	run, stream := os.Getenv("TEXTWARP_RUN"), os.Getenv("TEXTWARP_STREAM")
	if run == "" {
		run, stream = history(t), shards(t)
	} else {
		shards(t) // builds the commands
	}
	report := in("pictures.html")
	command(t, "inspect", "report", run, "--stream", stream, "-o", report)
	address := serve(t, run, "--stream", stream)
	for _, width := range []int64{1440, 390} {
		for _, dark := range []bool{false, true} {
			name := fmt.Sprintf("%d-%s", width, map[bool]string{false: "light", true: "dark"}[dark])
			t.Run(name, func(t *testing.T) {
				l := look{width: width, height: 900, dark: dark}
				b := open(t, address, address, l)
				t.Logf("first paint after %.0f ms, all of the first panel before %.0f ms",
					value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`), value[float64](b, `performance.now()`))
				for _, panel := range []string{"Warp", "Loss by noise", "Embeddings", "Canvas", "Run", "Shards"} {
					b.panel(panel)
					switch panel {
					case "Embeddings":
						b.write(`document.querySelector(".side input")`, "the")
						b.until(`document.querySelector(".side .found button")`)
						b.click(`document.querySelector(".side .found button")`)
						b.until(`document.querySelectorAll(".near li").length === 10`)
					case "Shards":
						b.click(`document.querySelectorAll(".documents .open")[3]`)
						b.until(`document.querySelectorAll(".document .token").length > 3`)
					}
					value[bool](b, `(document.activeElement.blur(), scrollTo(0, 0), true)`)
					b.settled()
					b.shot(name + "-" + panel)
				}
				b = open(t, "file://"+report, "file://"+report, l)
				b.shot(name + "-report")
			})
		}
	}
}
