package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long the page may take for what a test waits for. A machine
// that is busy is slow; a test that fails shows it anyway.
const patience = 40 * time.Second

// chromium is the name of a browser to test with, or "".
var chromium = func() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}()

// browser is one process for all tests; each of them has a tab of its own.
var browser struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func startBrowser() {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has none for root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	browser.ctx, browser.stop = ctx, func() { stop(); stopAllocator() }
	browser.err = chromedp.Do(ctx)
}

// tab is a page that is looked at. What it must never do is noted while it does
// anything else: print an error, throw, or ask another host.
type tab struct {
	*testing.T
	ctx context.Context

	mu      sync.Mutex
	faults  []string
	allowed string // in what the console may say
	asked   int
}

type look struct {
	width, height int64
	dark, calm    bool // calm: prefers-reduced-motion
}

var (
	wide   = look{width: 1440, height: 900}
	narrow = look{width: 390, height: 844, dark: true, calm: true}
)

// open opens an address. Only what begins with allowed may be asked for.
func open(t *testing.T, address, allowed string, l look) *tab {
	t.Helper()
	browser.once.Do(startBrowser)
	if browser.err != nil {
		t.Fatalf("start %s: %v", chromium, browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		t.Fatal(err)
	}
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		return err
	}))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == chromedp.ConsoleException {
				b.fault("console: %s (%s)", m.Text, m.URL)
			}
		}
	}()
	err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok {
			b.mu.Lock()
			b.asked++
			b.mu.Unlock()
			if url := e.Request.URL; !strings.HasPrefix(url, allowed) && !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "blob:") {
				b.fault("asks for %s", url)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	scheme, motion := "light", "no-preference"
	if l.dark {
		scheme = "dark"
	}
	if l.calm {
		motion = "reduce"
	}
	b.do(
		chromedp.EmulateViewport(l.width, l.height),
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion}}
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
			return err
		}),
		chromedp.Navigate(address),
	)
	b.settled()
	t.Cleanup(b.harmless)
	return b
}

func (b *tab) fault(format string, values ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, values...))
}

// allow expects faults that contain a text.
func (b *tab) allow(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = text
}

// harmless fails where the page did what it must not.
func (b *tab) harmless() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		if b.allowed != "" && strings.Contains(f, b.allowed) {
			continue
		}
		b.Errorf("the page %s", f)
	}
	if b.asked == 0 {
		b.Error("no request was seen: nobody watched")
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

// value evaluates an expression in the page, and waits where it is a promise.
func value[V any](b *tab, expression string) V {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.Helper()
	for end := time.Now().Add(patience); ; {
		if value[bool](b, "Boolean("+expression+")") {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("waited %s for %s; the page says %.400q", patience, expression, value[string](b, "document.body.innerText"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// settled waits until everything that is shown has its data.
func (b *tab) settled() {
	b.Helper()
	b.until(`document.querySelector("main > section, main > .problem") && !document.querySelector("[aria-busy=true]")`)
	b.until(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// want fails unless an expression is true.
func (b *tab) want(expression string) {
	b.Helper()
	if !value[bool](b, "Boolean("+expression+")") {
		b.Errorf("not so: %s", expression)
	}
}

// panel goes to a panel by its link.
func (b *tab) panel(name string) {
	b.Helper()
	b.click(fmt.Sprintf(`[...document.querySelectorAll("nav.panels a")].find(a => a.textContent === %q)`, name))
	b.settled()
	b.want(fmt.Sprintf(`document.querySelector("nav.panels [aria-current]").textContent === %q`, name))
	if text := value[string](b, `[...document.querySelectorAll("main .problem")].map(e => e.hidden ? "" : e.innerText).join("")`); text != "" {
		b.Errorf("panel %s says: %s", name, text)
	}
}

// click presses the element that an expression gives.
func (b *tab) click(element string) {
	b.Helper()
	if !value[bool](b, fmt.Sprintf(`(e => { if (!e) return false; e.scrollIntoView({block: "center"}); e.focus(); e.click(); return true })(%s)`, element)) {
		b.Fatalf("nothing to click: %s", element)
	}
}

// fits fails where the page is wider than the window.
func (b *tab) fits() {
	b.Helper()
	wide := value[string](b, `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return "";
		return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1).slice(0, 5).map(e => e.tagName + "." + e.className).join(", ");
	})()`)
	if wide != "" {
		b.Errorf("wider than the window: %s", wide)
	}
}

// shot writes a picture of what the window shows, where TEXTWARP_SHOTS says.
func (b *tab) shot(name string) {
	b.Helper()
	dir := os.Getenv("TEXTWARP_SHOTS")
	if dir == "" {
		return
	}
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		picture, err := chromedp.FullScreenshot(100)(ctx, target)
		if err != nil {
			return err
		}
		return os.WriteFile(dir+"/"+name+".png", picture, 0o644)
	}))
}

// keys presses keys on an element.
func (b *tab) keys(element string, keys ...string) {
	b.Helper()
	b.want(fmt.Sprintf(`(e => { e.scrollIntoView({block: "center"}); e.focus(); return document.activeElement === e })(%s)`, element))
	codes := map[string]string{"ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight, "Home": kb.Home, "End": kb.End, "Tab": kb.Tab}
	for _, key := range keys {
		b.do(chromedp.KeyEvent(codes[key]))
	}
}

// write types a text into a field, instead of what stands there.
func (b *tab) write(field, text string) {
	b.Helper()
	b.want(fmt.Sprintf(`(e => { e.scrollIntoView({block: "center"}); e.focus(); e.select(); return true })(%s)`, field))
	b.do(chromedp.KeyEvent(text))
}

// pick chooses an option of a select.
func (b *tab) pick(element, option string) {
	b.Helper()
	b.want(fmt.Sprintf(`(e => { e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true})); return e.value === %[1]q })(%[2]s)`, option, element))
}
