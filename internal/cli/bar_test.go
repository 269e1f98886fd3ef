package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// clockwork is a clock that a test turns by hand.
type clockwork struct{ time time.Time }

func (c *clockwork) now() time.Time { return c.time }

func testBar(total int64, unit string, terminal bool, width int) (*Bar, *bytes.Buffer, *clockwork) {
	var out bytes.Buffer
	c := &clockwork{time.Unix(0, 0)}
	return newBar(&out, "sharding", total, unit, terminal, func() int { return width }, c.now), &out, c
}

func TestBarInLog(t *testing.T) {
	b, out, c := testBar(4_000_000, "B", false, 80)
	for range 30 { // one second each
		c.time = c.time.Add(time.Second)
		b.Set(int64(c.time.Unix())*100_000, "a.txt\n")
	}
	b.Set(4_000_000, "")
	c.time = c.time.Add(10 * time.Second)
	b.Done()
	b.Done()
	b.Set(5_000_000, "after the end")
	want := `sharding  25%  1.0 MB of 4.0 MB  100 kB/s  0:30 left  a.txt\n
sharding  50%  2.0 MB of 4.0 MB  100 kB/s  0:20 left  a.txt\n
sharding  75%  3.0 MB of 4.0 MB  100 kB/s  0:10 left  a.txt\n
sharding 100%  4.0 MB of 4.0 MB  100 kB/s  0:40
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func TestBarOnTerminal(t *testing.T) {
	b, out, c := testBar(100, "steps", true, 200)
	c.time = c.time.Add(50 * time.Millisecond)
	b.Set(10, "")
	if out.Len() > 0 {
		t.Errorf("drawn too soon: %q", out)
	}
	c.time = c.time.Add(950 * time.Millisecond)
	b.Set(50, "loss 1.2")
	want := "\rsharding [############------------]   50%  50 of 100 steps  50.0/s  0:01 left  loss 1.2\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Done()
	if !strings.HasSuffix(out.String(), "\n") {
		t.Error("Done leaves the line open")
	}
}

func TestBarMakesRoom(t *testing.T) {
	b, out, c := testBar(100, "steps", true, 200)
	c.time = c.time.Add(time.Second)
	b.Set(50, "")
	out.Reset()
	b.Clear()
	if got := out.String(); got != "\r\x1b[K" {
		t.Errorf("got %q", got)
	}
	log, out, _ := testBar(100, "steps", false, 200)
	if log.Clear(); out.Len() > 0 {
		t.Errorf("a log gets %q", out)
	}
}

func TestBarFitsTerminal(t *testing.T) {
	b, out, c := testBar(100, "steps", true, 20)
	c.time = c.time.Add(time.Second)
	b.Set(50, strings.Repeat("n", 100))
	if got := out.String(); got != "\rsharding [#########\x1b[K" {
		t.Errorf("got %q", got)
	}
}

func TestBarWithoutTotal(t *testing.T) {
	b, out, c := testBar(0, "documents", false, 80)
	c.time = c.time.Add(10 * time.Second)
	b.Set(1_234_567, "")
	if got := out.String(); got != "sharding 1,234,567 documents  123,456/s  0:10\n" {
		t.Errorf("got %q", got)
	}
}

func TestNilBar(t *testing.T) {
	b := NewBar(nil, "quiet", 1, "B")
	b.Set(1, "")
	b.Done()
}

func TestAmounts(t *testing.T) {
	for n, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 99_949: "99.9 kB", 99_950: "100 kB", 999_499: "999 kB", 999_500: "1.0 MB", 2.5e15: "2.5 PB"} {
		if got := byteAmount(n); got != want {
			t.Errorf("byteAmount(%v) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100", 1234567: "1,234,567"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0:00", 61 * time.Second: "1:01", 3661 * time.Second: "1:01:01"} {
		if got := Clock(d); got != want {
			t.Errorf("Clock(%v) = %q, want %q", d, got, want)
		}
	}
}
