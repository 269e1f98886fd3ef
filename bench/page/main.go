// Command page measures the server behind inspect serve on long synthetic runs.
//
//	go run ./bench/page -inspect INSPECT -out DIR
//
// It starts the command on ten runs of 100,000 steps, asks for all that the page
// asks for, and reads the resident set of the process; then on one run with
// 50,000 tokens, whose map it asks for twice.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	runs       = 10
	largeVocab = 50_000
	largeDim   = 64
	smallVocab = 1024
	smallDim   = 16
	patience   = 2 * time.Minute // for an answer
)

func main() {
	inspect := flag.String("inspect", "", "the inspect command")
	out := flag.String("out", "", "directory for the synthetic runs")
	flag.Parse()
	if err := measure(*inspect, *out); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func measure(inspect, out string) error {
	var long []string
	for i := range runs {
		dir := filepath.Join(out, fmt.Sprintf("long-%d", i))
		if err := once(dir, func(dir string) error { return fabricate(dir, smallVocab, smallDim, uint64(i)) }); err != nil {
			return err
		}
		long = append(long, dir)
	}
	large := filepath.Join(out, "large")
	if err := once(large, func(dir string) error { return fabricate(dir, largeVocab, largeDim, 99) }); err != nil {
		return err
	}
	if err := longRuns(inspect, long); err != nil {
		return err
	}
	return largeTable(inspect, large)
}

// once makes a directory unless it is there.
func once(dir string, make func(dir string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	half := dir + ".half"
	if err := errors.Join(os.RemoveAll(half), make(half)); err != nil {
		return err
	}
	return os.Rename(half, dir)
}

// longRuns measures the time to the first answer, of each view, to the news of a
// line, and the memory of it all.
func longRuns(inspect string, dirs []string) error {
	p, err := start(inspect, dirs...)
	if err != nil {
		return err
	}
	defer p.stop()
	first, err := p.get("/api/runs")
	if err != nil {
		return err
	}
	mark("page.first", time.Since(p.begun).Seconds(), "<=", 3)
	spent, err := p.processor()
	if err != nil {
		return err
	}
	mark("page.first.processor", spent, "<=", 3)
	var list struct {
		Runs []struct{ Problem string }
	}
	if err := json.Unmarshal(first, &list); err != nil {
		return err
	}
	for i, r := range list.Runs {
		if r.Problem != "" {
			return fmt.Errorf("run %d: %s", i, r.Problem)
		}
	}
	before, err := p.memory()
	if err != nil {
		return err
	}
	slowest := map[string]time.Duration{}
	for i := range dirs {
		for _, view := range []string{
			"curves?points=1000", "warp", fmt.Sprintf("warp/%d", steps), "evaluations", "samples", fmt.Sprintf("samples/%d", steps),
			"embeddings", "figures/warp.svg", "figures/run.png",
		} {
			begin := time.Now()
			if _, err := p.get(fmt.Sprintf("/api/runs/%d/%s", i, view)); err != nil {
				return err
			}
			name, _, _ := strings.Cut(strings.ReplaceAll(view, "/", "."), "?")
			slowest[name] = max(slowest[name], time.Since(begin))
		}
	}
	for _, m := range []struct {
		view   string
		target float64
	}{
		{"curves", .2},
		{"warp", .2},
		{fmt.Sprintf("warp.%d", steps), .1},
		{"evaluations", .2},
		{fmt.Sprintf("samples.%d", steps), .1},
		{"embeddings", 1},
		{"figures.run.png", 3},
	} {
		mark("page."+m.view, slowest[m.view].Seconds(), "<=", m.target)
	}
	news, err := p.news(dirs[0])
	if err != nil {
		return err
	}
	mark("page.news", news.Seconds(), "<=", 2)
	after, err := p.memory()
	if err != nil {
		return err
	}
	fmt.Printf("resident set: %.0f MiB when the runs are read, at most %.0f MiB when all views were asked for\n", before, after)
	mark("page.memory", after, "<=", 256)
	return nil
}

// largeTable measures the map of many tokens, of which the second is at hand.
func largeTable(inspect, dir string) error {
	p, err := start(inspect, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	if _, err := p.get("/api/runs"); err != nil {
		return err
	}
	for _, m := range []struct {
		name, path string
		target     float64
	}{
		{"page.map", "embeddings", 5},
		{"page.map.again", "embeddings", .5},
		{"page.neighbours", "neighbours?token=17&k=10", .2},
	} {
		begin := time.Now()
		if _, err := p.get("/api/runs/0/" + m.path); err != nil {
			return err
		}
		mark(m.name, time.Since(begin).Seconds(), "<=", m.target)
	}
	memory, err := p.memory()
	if err != nil {
		return err
	}
	mark("page.map.memory", memory, "<=", 512)
	return nil
}

// mark prints a figure with its target.
func mark(name string, value float64, relation string, target float64) {
	verdict := "short"
	if value <= target {
		verdict = "ok"
	}
	fmt.Printf("mark %s %.4g %s %v %s\n", name, value, relation, target, verdict)
}

// process is the command as it serves.
type process struct {
	*exec.Cmd
	begun time.Time
	base  string
}

func start(inspect string, dirs ...string) (*process, error) {
	p := &process{Cmd: exec.Command(inspect, append([]string{"serve"}, dirs...)...), begun: time.Now()}
	p.Stderr = os.Stderr
	out, err := p.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("read the address: %w", err)
	}
	p.base = strings.TrimSuffix(line, "/\n")
	return p, nil
}

func (p *process) stop() {
	_ = p.Process.Signal(os.Interrupt)
	_ = p.Wait()
}

func (p *process) get(path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", path, answer.Status, body)
	}
	return body, err
}

// news is how long a line of the log takes to be told of.
func (p *process) news(dir string) (time.Duration, error) {
	answer, err := http.Get(p.base + "/api/events")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	log, err := os.OpenFile(filepath.Join(dir, "timing.jsonl"), os.O_APPEND|os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	size, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	defer log.Truncate(size)
	begin := time.Now()
	if _, err := fmt.Fprintf(log, "{\"step\":%d,\"seconds\":1,\"tokens_per_second\":1}\n", steps+1); err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: ") {
			return time.Since(begin), nil
		}
	}
	return 0, errors.New("no news came")
}

// processor is the time that the process has spent on processors, in seconds
// (fields 14 and 15 of /proc/PID/stat, in hundredths).
func (p *process) processor() (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // behind the name, which is the second field
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, errors.New("the kernel does not say how long a process has run")
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, err
}

// memory is the largest resident set so far, in MiB (VmHWM of /proc).
func (p *process) memory() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if field, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(field), "kB")), 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("the kernel does not say how much memory a process has")
}
