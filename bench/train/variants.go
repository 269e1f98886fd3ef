package main

import (
	"os"
	"strings"
)

// variant is one way to make the step.
type variant struct {
	name      string
	ours      bool
	precision string // "" is fp32
	compile   bool
	chunk     int
	threads   int // 0 is what the flag says
	steps     int // of the recipe; 0 is all
	env       []string
	spins     bool // OMP_WAIT_POLICY is left alone and not PASSIVE
}

// libraries are what can be preloaded; an empty path is one that is not there.
type libraries struct {
	jemalloc, tcmalloc string
	intel              string // makes MKL take its paths for Intel's processors
}

// variants lists what a workload is measured with. The names say what a user of
// PyTorch would choose: nothing, the allocator, the path of MKL, the head by chunks
// of rows, torch.compile.
func variants(w *workload, libs libraries, quick bool) []variant {
	list := []variant{
		{name: "ours", ours: true},
		{name: "ours, 1 thread", ours: true, threads: 1},
		{name: "eager, as installed", spins: true},
	}
	if w.trainsWhole() {
		list = append(list, variant{name: "ours, fewer steps", ours: true, steps: enoughSteps})
	}
	all := !quick && w.together > 3
	if all {
		list = append(list, variant{name: "eager, malloc env", env: mallocEnv, spins: true})
		if libs.tcmalloc != "" {
			list = append(list, variant{name: "eager, tcmalloc", env: []string{"LD_PRELOAD=" + libs.tcmalloc}, spins: true})
		}
		if libs.jemalloc != "" {
			list = append(list, variant{name: "eager, jemalloc", env: jemallocEnv(libs.jemalloc), spins: true})
		}
	}
	best, name := tuned(libs)
	chunk := 0
	if w.net.Vocab > headChunk {
		chunk = headChunk
	}
	list = append(list,
		variant{name: "eager, " + name, env: best, spins: true},
		variant{name: "eager, " + name + ", passive", env: best})
	if chunk > 0 {
		list = append(list, variant{name: "eager, " + name + ", head by chunks", chunk: chunk, env: best, spins: true})
	}
	if quick {
		return list
	}
	if all {
		list = append(list,
			variant{name: "compile, " + name, compile: true, env: best, spins: true},
			variant{name: "compile, " + name + ", passive", compile: true, env: best})
	}
	if chunk > 0 {
		list = append(list, variant{name: "compile, " + name + ", head by chunks", compile: true, chunk: chunk, env: best, spins: true})
	}
	bf16 := variant{name: "eager, bf16, " + name, precision: "bf16", env: best, spins: true}
	if processorHas("avx512_bf16") {
		list = append(list, variant{name: "ours, bf16", ours: true, precision: "bf16"}, bf16,
			variant{name: "compile, bf16, " + name, precision: "bf16", compile: true, env: best, spins: true})
	} else if w.name == "W1" { // a step takes PyTorch nearly a hundred times as long: two are enough
		list = append(list, bf16)
	}
	return list
}

const headChunk = 512 // rows; 128 to 512 make no difference that can be measured

// Fresh pages are dear, so a good environment keeps what it has. glibc refuses,
// without a word, an mmap threshold above 32 MiB, and logits are larger: so no
// mmap at all.
var mallocEnv = []string{
	"MALLOC_MMAP_MAX_=0", "MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=17179869184", "MALLOC_TOP_PAD_=268435456",
}

func jemallocEnv(path string) []string {
	return []string{"MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1", "LD_PRELOAD=" + path}
}

// tuned is the environment that served PyTorch best.
func tuned(libs libraries) (env []string, name string) {
	env, name = mallocEnv, "malloc env"
	if libs.jemalloc != "" {
		env, name = jemallocEnv(libs.jemalloc), "jemalloc"
	}
	if libs.intel != "" {
		env, name = preload(env, libs.intel), name+", MKL as on Intel"
	}
	return env, name
}

// preload adds the library for MKL to an environment. With it MKL counts the
// processor's cores by Intel's rules and finds one, unless told not to count.
func preload(env []string, library string) []string {
	out := []string{"MKL_DYNAMIC=FALSE"}
	for _, v := range env {
		if rest, ok := strings.CutPrefix(v, "LD_PRELOAD="); ok {
			library = rest + ":" + library
			continue
		}
		out = append(out, v)
	}
	return append(out, "LD_PRELOAD="+library)
}

func processorHas(flag string) bool {
	info, err := os.ReadFile("/proc/cpuinfo")
	return err == nil && strings.Contains(string(info), " "+flag+" ")
}
