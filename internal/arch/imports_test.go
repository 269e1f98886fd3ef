package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seed-4c77ef92/textwarp"

// ours says which packages of this module a package may import. A path that
// ends in /... stands for everything below it; "*" allows everything but
// commands.
var ours = map[string][]string{
	"internal/arch":        {},
	"internal/chart":       {"internal/printable"},
	"internal/cli":         {"internal/safeio", "internal/printable"},
	"internal/column":      {"internal/safeio"},
	"internal/generate":    {"autoregressive", "diffusion", "tokenize", "trainer", "internal/judge"},
	"internal/judge":       {"internal/rng"},
	"internal/kernels/...": {},
	"internal/printable":   {},
	"internal/rng":         {},
	"internal/safeio":      {},
	"internal/safetensors": {"internal/safeio"},

	"tokenize":           {},
	"pipeline":           {"internal/safeio", "internal/rng", "internal/column"},
	"timewarp":           {"internal/rng"},
	"embeddings":         {"internal/kernels", "internal/safetensors", "internal/rng"},
	"diffusion":          {"timewarp", "embeddings", "internal/kernels", "internal/rng"},
	"autoregressive":     {"diffusion", "embeddings", "internal/rng"},
	"denoiser":           {"internal/kernels", "internal/safetensors", "internal/rng"},
	"trainer/checkpoint": {"internal/safeio", "internal/safetensors"},
	"trainer": {
		"trainer/checkpoint", "pipeline", "tokenize", "timewarp", "embeddings", "diffusion", "autoregressive", "denoiser",
		"internal/kernels", "internal/rng", "internal/safeio", "internal/safetensors",
	},

	"internal/loopback":    {},
	"internal/metrics":     {"trainer"},
	"internal/tensorboard": {"trainer"},

	"internal/eval": {
		"trainer", "diffusion", "autoregressive", "pipeline", "tokenize", "internal/generate", "internal/judge", "internal/rng", "internal/safeio",
	},

	"internal/hub": {
		"trainer", "timewarp", "embeddings", "diffusion", "autoregressive", "tokenize", "internal/kernels", "internal/safeio", "internal/safetensors",
	},

	"internal/inspect": {
		"trainer", "trainer/checkpoint", "timewarp", "embeddings", "autoregressive", "pipeline", "tokenize",
		"internal/chart", "internal/printable", "internal/safeio", "internal/safetensors",
	},

	"internal/page": {
		"internal/inspect", "internal/generate", "internal/chart", "internal/kernels", "internal/loopback", "internal/safeio",
		"trainer", "diffusion", "autoregressive", "timewarp", "embeddings", "pipeline", "tokenize",
	},

	"cmd/...":   {"*"},
	"bench/...": {"*"},
}

// foreign says which packages may import a library (in tests, any may). The
// standard library is open to all; a library without a row to none.
var foreign = map[string][]string{
	"github.com/apache/arrow-go":        {"pipeline"},
	"github.com/parquet-go":             {"pipeline", "bench/hostile"},
	"github.com/klauspost/compress":     {"pipeline", "internal/column", "bench/hostile"},
	"github.com/therootcompany/xz":      {"pipeline"},
	"github.com/minio/minio-go/v7":      {"pipeline"},
	"github.com/johannesboyne/gofakes3": {},
	"golang.org/x/net/html":             {"pipeline"},
	"github.com/spf13":                  {"cmd/...", "internal/cli"},
	"github.com/pelletier/go-toml":      {"trainer", "bench/science"},
	"github.com/prometheus":             {"internal/metrics"},
	"google.golang.org/protobuf":        {"internal/tensorboard"},
	"gonum.org/v1/gonum":                {"timewarp", "embeddings", "diffusion", "bench/...", "internal/judge"},
	"gonum.org/v1/plot":                 {"internal/chart"},
	"golang.org/x/image":                {"internal/chart"},
	"golang.org/x/text":                 {"internal/chart", "tokenize", "pipeline"},
	"golang.org/x/sys":                  {"internal/kernels", "internal/safeio"},
	"golang.org/x/term":                 {"internal/cli"},
	"github.com/sugarme/tokenizer":      {"bench/..."},
	"gorgonia.org":                      {},
	"pgregory.net/rapid":                {},
	"go.uber.org/goleak":                {},
	"github.com/rogpeppe/go-internal":   {},
}

type listed struct {
	Dir, ImportPath                    string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Imports,TestImports,XTestImports", module+"/...").Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no go command to list the packages with")
	}
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		watch(t, p)
		all = append(all, p)
	}
}

// watch lists the directory of a package and those above it, up to the
// module's. What go list reads is hidden from go test; what the test itself
// lists makes go test run it again when a file there has changed.
func watch(t *testing.T, p listed) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for dir := p.Dir; strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// matches says whether path is in the list, as itself or below a "/...".
func matches(list []string, path string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		above, tree := strings.CutSuffix(entry, "/...")
		return entry == path || tree && within(path, above)
	})
}

func within(path, above string) bool {
	return path == above || strings.HasPrefix(path, above+"/")
}

// violation says what is wrong with an import of a package, "" if nothing is.
func violation(from, imported string, test bool) string {
	if to, own := strings.CutPrefix(imported, module+"/"); own {
		if to == from {
			return ""
		}
		if within(to, "cmd") && !within(to, from) && !within(from, "cmd") {
			return "commands are not to be imported"
		}
		if to == "internal/cli" && !within(from, "cmd") {
			return "only commands print and exit"
		}
		if test {
			return ""
		}
		for row, allowed := range ours {
			if matches([]string{row}, from) {
				if slices.Contains(allowed, "*") || matches(allowed, to) {
					return ""
				}
				return fmt.Sprintf("it may import %v of this module", allowed)
			}
		}
		return "it has no row in the import rules"
	}
	first, _, _ := strings.Cut(imported, "/")
	if test || !strings.Contains(first, ".") { // the standard library
		return ""
	}
	for library, users := range foreign {
		if within(imported, library) {
			if matches(users, from) {
				return ""
			}
			return fmt.Sprintf("%s is for %v", library, users)
		}
	}
	return "the library has no row in the import rules"
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			if wrong := violation(from, imported, false); wrong != "" {
				t.Errorf("%s imports %s: %s", from, imported, wrong)
			}
		}
		for _, imported := range append(p.TestImports, p.XTestImports...) {
			if wrong := violation(from, imported, true); wrong != "" {
				t.Errorf("a test of %s imports %s: %s", from, imported, wrong)
			}
		}
	}
}

// TestPackagesHaveRows keeps the table complete: a package that imports nothing
// yet must still be placed.
func TestPackagesHaveRows(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		placed := false
		for row := range ours {
			placed = placed || matches([]string{row}, from)
		}
		if !placed {
			t.Errorf("%s has no row in the import rules", from)
		}
	}
}

// TestRulesBite shows the rules edges that must not be.
func TestRulesBite(t *testing.T) {
	cases := []struct {
		from, imported string
		test           bool
		bad            bool
	}{
		{"timewarp", module + "/internal/rng", false, false},
		{"timewarp", "gonum.org/v1/gonum/stat", false, false},
		{"timewarp", "gonum.org/v1/plot", false, true},
		{"timewarp", module + "/diffusion", false, true},
		{"tokenize", module + "/pipeline", false, true},
		{"pipeline", module + "/tokenize", false, true},
		{"pipeline", module + "/tokenize", true, false},
		{"pipeline", "github.com/parquet-go/parquet-go", false, false},
		{"trainer", "github.com/parquet-go/parquet-go", false, true},
		{"trainer", "github.com/apache/arrow-go/v18/arrow", false, true},
		{"trainer", "github.com/spf13/cobra", false, true},
		{"trainer", module + "/internal/cli", false, true},
		{"trainer", module + "/internal/cli", true, true},
		{"denoiser", "gorgonia.org/gorgonia", false, true},
		{"denoiser", "gorgonia.org/gorgonia", true, false},
		{"denoiser", module + "/diffusion", false, true},
		{"diffusion", module + "/denoiser", false, true},
		{"bench/gemm", module + "/internal/kernels", false, false},
		{"cmd/train", module + "/trainer", false, false},
		{"trainer", module + "/cmd/train", true, true},
		{"cmd/prep", "github.com/parquet-go/parquet-go", false, true},
		{"diffusion", "example.org/new", false, true},
		{"elsewhere", module + "/internal/rng", false, true},
	}
	for _, c := range cases {
		if wrong := violation(c.from, c.imported, c.test); (wrong != "") != c.bad {
			t.Errorf("%s -> %s (test %v): %q, want bad = %v", c.from, c.imported, c.test, wrong, c.bad)
		}
	}
}
