package trainer

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Settings is a Config in the making that remembers where each value came
// from: a preset, then a file, then the command line.
type Settings struct {
	Config
	origin map[string]string
}

// NewSettings begins with a preset.
func NewSettings(preset string) (*Settings, error) {
	c, err := Preset(preset)
	if err != nil {
		return nil, err
	}
	s := &Settings{Config: c, origin: map[string]string{}}
	for _, f := range s.fields() {
		s.origin[f.key] = "preset " + preset
	}
	return s, nil
}

// Load puts the values of a TOML file over what is there. A key that does not
// exist is an error that names the nearest one that does.
func (s *Settings) Load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read config: %w", err)
	}
	var given map[string]map[string]any
	if err := toml.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("parse config %q: %w", path, tomlPlace(err))
	}
	for section, values := range given {
		for name := range values {
			key := section + "." + name
			if _, ok := s.origin[key]; !ok {
				return fmt.Errorf("config %q: unknown key %q; did you mean %q?", path, key, s.nearest(key))
			}
			s.origin[key] = path
		}
	}
	if err := toml.Unmarshal(data, &s.Config); err != nil {
		return fmt.Errorf("parse config %q: %w", path, tomlPlace(err))
	}
	return nil
}

// tomlPlace adds line and column to a decoding error.
func tomlPlace(err error) error {
	var at *toml.DecodeError
	if errors.As(err, &at) {
		line, column := at.Position()
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}

// Set gives one key its value from text and notes the origin.
func (s *Settings) Set(key, value, origin string) error {
	for _, f := range s.fields() {
		if f.key != key {
			continue
		}
		if err := parse(f.value, value); err != nil {
			return fmt.Errorf("set %s: %q is not a %s", key, value, f.value.Kind())
		}
		s.origin[key] = origin
		return nil
	}
	return fmt.Errorf("set %s: unknown key; did you mean %q?", key, s.nearest(key))
}

func parse(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.Atoi(strings.ReplaceAll(text, "_", ""))
		if err != nil {
			return err
		}
		v.SetInt(int64(n))
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 63) // what TOML can hold
		if err != nil {
			return err
		}
		v.SetUint(n)
	default:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return err
		}
		v.SetFloat(x)
	}
	return nil
}

// Write prints the settings as TOML, each value with its meaning and origin.
func (s *Settings) Write(w io.Writer) error {
	section := ""
	for _, f := range s.fields() {
		head, name, _ := strings.Cut(f.key, ".")
		if head != section {
			if section != "" {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "[%s]\n", head)
			section = head
		}
		var value string
		switch f.value.Kind() {
		case reflect.String:
			value = quoteTOML(f.value.String())
		case reflect.Float64:
			value = strconv.FormatFloat(f.value.Float(), 'g', -1, 64)
			if !strings.ContainsAny(value, ".e") {
				value += ".0" // TOML tells floats from integers
			}
		default:
			value = fmt.Sprint(f.value.Interface())
		}
		note := f.help
		if origin := s.origin[f.key]; origin != "" {
			note = strings.TrimPrefix(note+" ("+origin+")", " ")
		}
		if _, err := fmt.Fprintf(w, "%-28s # %s\n", name+" = "+value, note); err != nil {
			return err
		}
	}
	return nil
}

// quoteTOML writes a basic string.
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

type field struct {
	key, help string
	value     reflect.Value
}

func (s *Settings) fields() []field { return fields(&s.Config) }

// All gives every setting, by its key, in the order of the structs.
func (c Config) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, f := range fields(&c) {
			if !yield(f.key, f.value.Interface()) {
				return
			}
		}
	}
}

// fields lists the settings in the order of the structs.
func fields(config *Config) []field {
	var out []field
	c := reflect.ValueOf(config).Elem()
	for i := range c.NumField() {
		section := c.Type().Field(i).Tag.Get("toml")
		for j := range c.Field(i).NumField() {
			f := c.Field(i).Type().Field(j)
			out = append(out, field{section + "." + f.Tag.Get("toml"), f.Tag.Get("help"), c.Field(i).Field(j)})
		}
	}
	return out
}

// nearest returns the existing key with the smallest edit distance.
func (s *Settings) nearest(key string) string {
	best, least := "", len(key)+100
	for _, f := range s.fields() {
		if d := distance(key, f.key); d < least {
			best, least = f.key, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
