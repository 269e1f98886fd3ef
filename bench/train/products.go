package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
)

// product is one matrix product of a training step and the rates of its
// engines, in GFLOP/s, by threads.
type product struct {
	Name  string                     `json:"name"`
	Op    string                     `json:"op"` // NN, NT or TN
	M     int                        `json:"m"`
	N     int                        `json:"n"`
	K     int                        `json:"k"`
	Rates map[int]map[string]float64 `json:"gflops"`
}

// headRows is the number of rows for which the head of a workload works at a time,
// as denoiser.NewPass has it.
func headRows(w *workload) int { return min(w.tokens(), max(1024, 1<<21/w.net.Vocab)) }

// products lists what the layers of a workload multiply: forward, gradient of the
// input, gradient of the weights.
func products(w *workload) []product {
	var list []product
	for _, l := range []struct {
		name          string
		rows, in, out int
	}{
		{"qkv", w.tokens(), w.net.Width, 3 * w.net.Width},
		{"out", w.tokens(), w.net.Width, w.net.Width},
		{"up", w.tokens(), w.net.Width, w.net.MLP},
		{"down", w.tokens(), w.net.MLP, w.net.Width},
		{"head", headRows(w), w.net.Width, w.net.Vocab},
	} {
		name := w.name + " " + l.name
		list = append(list,
			product{Name: name, Op: "NN", M: l.rows, N: l.out, K: l.in},
			product{Name: name, Op: "NT", M: l.rows, N: l.in, K: l.out},
			product{Name: name, Op: "TN", M: l.in, N: l.out, K: l.rows})
	}
	return list
}

// measureProducts races the engines on every product, with one thread and with
// as many as asked for.
func (d *driver) measureProducts(ctx context.Context, report *report) error {
	fmt.Println(report.Machine)
	var list []product
	for _, name := range []string{"W1", "W3"} {
		w, err := findWorkload(name)
		if err != nil {
			return err
		}
		list = append(list, products(w)...)
	}
	counts := []int{1}
	if d.threads > 1 {
		counts = append(counts, d.threads)
	}
	for _, threads := range counts {
		if err := d.raceProducts(ctx, list, threads); err != nil {
			return err
		}
	}
	report.Products = list
	return nil
}

func (d *driver) raceProducts(ctx context.Context, list []product, threads int) error {
	n := strconv.Itoa(threads)
	script := filepath.Join(d.peers, "products.py")
	engines := []struct {
		name string
		env  []string
		argv []string
	}{
		{"ours", nil, []string{d.self, "gemm-worker", n}},
		{"OpenBLAS", []string{"OPENBLAS_NUM_THREADS=" + n}, []string{d.python, script, "openblas", n}},
		{"torch.mm", []string{"OMP_NUM_THREADS=" + n}, []string{d.python, script, "torch", n}},
		{"torch.mm, MKL as on Intel", preload([]string{"OMP_NUM_THREADS=" + n}, d.libraries.intel), []string{d.python, script, "torch", n}},
	}
	if d.libraries.intel == "" {
		engines = engines[:3]
	}
	fmt.Printf("\n%d threads, GFLOP/s, median of the rounds\n", threads)
	workers := make([]*worker, len(engines))
	for i, e := range engines {
		var hello ready
		var err error
		if workers[i], hello, err = startWorker(ctx, e.env, e.argv...); err != nil {
			return fmt.Errorf("measure products by %s: %w", e.name, err)
		}
		defer workers[i].stop()
		fmt.Printf("%s: %s\n", e.name, hello.About)
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "product\tm x n x k")
	logs := make([]float64, len(engines)) // Σ ln of rates relative to ours
	for _, e := range engines {
		fmt.Fprint(t, "\t", e.name)
	}
	fmt.Fprintln(t)
	rounds := 7
	if d.quick {
		rounds = 3
	}
	for i := range list {
		p := &list[i]
		times := make([][]float64, len(engines))
		for range rounds {
			for e, w := range workers {
				var ms float64
				if err := w.ask(&ms, "%s %d %d %d", p.Op, p.M, p.N, p.K); err != nil {
					return fmt.Errorf("measure products by %s: %w", engines[e].name, err)
				}
				times[e] = append(times[e], ms)
				time.Sleep(pause)
			}
		}
		if p.Rates == nil {
			p.Rates = map[int]map[string]float64{}
		}
		p.Rates[threads] = map[string]float64{}
		fmt.Fprintf(t, "%s %s\t%d x %d x %d", p.Name, p.Op, p.M, p.N, p.K)
		for e := range engines {
			rate := 2 * float64(p.M) * float64(p.N) * float64(p.K) / median(times[e]) / 1e6
			p.Rates[threads][engines[e].name] = rate
			logs[e] += math.Log(rate / p.Rates[threads]["ours"])
			fmt.Fprintf(t, "\t%.1f", rate)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "ours is faster, geometric mean\t")
	for _, l := range logs {
		fmt.Fprintf(t, "\t%.2f x", math.Exp(-l/float64(len(list))))
	}
	fmt.Fprintln(t)
	return t.Flush()
}

// serveProducts obeys the driver with MatMul; products.py does the same.
func serveProducts(argument string, in io.Reader, out io.Writer) error {
	threads, err := strconv.Atoi(argument)
	if err != nil {
		return err
	}
	pool := kernels.NewPool(threads)
	defer pool.Close()
	answer := json.NewEncoder(out)
	if err := answer.Encode(ready{About: runtime.Version() + ", " + pool.Level()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var op string
		var m, n, k int
		if _, err := fmt.Sscan(lines.Text(), &op, &m, &n, &k); err != nil {
			return fmt.Errorf("read product %q: %w", lines.Text(), err)
		}
		a, b, c := ramp(m*k), ramp(k*n), make([]float32, m*n)
		o := kernels.Op{TransA: op[0] == 'T', TransB: op[1] == 'T'}
		ms := repeat(func() { pool.MatMul(c, a, b, m, n, k, o) })
		if err := answer.Encode(ms); err != nil {
			return err
		}
	}
	return nil
}

// repeat is the median time in ms of calls that take 30 ms together, after one
// that does not count.
func repeat(call func()) float64 {
	call()
	var times []float64
	for began := time.Now(); len(times) < 3 || time.Since(began) < 30*time.Millisecond; {
		start := time.Now()
		call()
		times = append(times, time.Since(start).Seconds()*1e3)
	}
	return median(times)
}

func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%31) / 31
	}
	return x
}
