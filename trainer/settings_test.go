package trainer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsWriteAndLoad(t *testing.T) {
	s, err := NewSettings("small")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"data.stream": `odd "name"\with` + "\ttab", "optim.lr": "1e-05", "process.t_max": "300", "run.seed": "9223372036854775807",
		"model.local_heads": "false", "run.steps": "1_000",
	} {
		if err := s.Set(key, value, "test"); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := NewSettings("nano")
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Load(path); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	if again.Config != s.Config {
		t.Errorf("read back\n%+v\nwant\n%+v", again.Config, s.Config)
	}
	if !strings.Contains(b.String(), "(preset small)") || !strings.Contains(b.String(), "(test)") {
		t.Error("origins are not written")
	}
}

func TestSettingsRefuse(t *testing.T) {
	for name, c := range map[string]struct{ toml, want string }{
		"unknown key":     {"[optim]\nbatch_size = 3\n", `did you mean "optim.batch"`},
		"unknown section": {"[optimizer]\nlr = 3\n", `did you mean "optim.lr"`},
		"wrong type":      {"[optim]\nbatch = \"many\"\n", "line 2"},
		"no TOML":         {"[optim\n", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.toml")
			if err := os.WriteFile(path, []byte(c.toml), 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := NewSettings("nano")
			if err != nil {
				t.Fatal(err)
			}
			err = s.Load(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Load: %v, want mention of %q and the file", err, c.want)
			}
		})
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	for key, value := range map[string]string{
		"data.length": "1", "model.heads": "3", "process.t_min": "0", "process.t_max": "0.1", "process.mask": "some",
		"process.warp": "sideways", "process.self_conditioning": "NaN", "optim.batch": "0", "optim.lr": "-1", "optim.beta2": "1",
		"run.steps": "0", "run.keep": "1", "process.objective": "masked", "process.fim": "0.5", // which is for ar
	} {
		s, err := NewSettings("nano")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Set(key, value, "test"); err != nil {
			t.Fatal(err)
		}
		if key == "optim.batch" {
			key = "optim.micro_batch" // also fails, and either may be named
		}
		err = s.Validate()
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(key, "optim.micro_")) {
			t.Errorf("%s = %s: %v", key, value, err)
		}
	}
}

func TestPresetsAreValid(t *testing.T) {
	for _, name := range Presets() {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		c.Data.Stream = "shards"
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Preset("huge"); err == nil {
		t.Error("an unknown preset is accepted")
	}
}
