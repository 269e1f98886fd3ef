package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Types of content.
const (
	typeJSON  = "application/json"
	typeBytes = "application/octet-stream"
)

// answer is what a path has to say.
type answer struct {
	kind string // type of content
	body []byte
}

// column is a column of numbers. It has six digits, enough for a picture; what is
// not finite is null.
type column []float64

// MarshalJSON implements json.Marshaler.
func (c column) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 9*len(c)+2)
	b = append(b, '[')
	for i, v := range c {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, v, 'g', 6, 64)
	}
	return append(b, ']'), nil
}

// asJSON encodes a value.
func asJSON(v any) (answer, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return answer{}, fmt.Errorf("encode answer: %w", err)
	}
	return answer{typeJSON, body}, nil
}

// errBad says that a request makes no sense.
var errBad = errors.New("bad request")

// handle makes a handler of a function that answers.
func handle(get func(r *http.Request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := get(r)
		if err != nil {
			fail(w, err)
			return
		}
		send(w, r, a)
	}
}

// handleValue is handle for what is encoded as JSON.
func handleValue[V any](get func(r *http.Request) (V, error)) http.HandlerFunc {
	return handle(func(r *http.Request) (answer, error) {
		v, err := get(r)
		if err != nil {
			return answer{}, err
		}
		return asJSON(v)
	})
}

// send writes an answer, compressed where that helps.
func send(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Add("Vary", "Accept-Encoding")
	body := a.body
	if len(body) > 1<<10 && a.kind != typeBytes && a.kind != "image/png" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err == nil {
			_, err = z.Write(body)
		}
		if err == nil && z.Close() == nil {
			h.Set("Content-Encoding", "gzip")
			body = b.Bytes()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	line, _, _ := strings.Cut(err.Error(), "\n")
	refuse(w, statusOf(err), line)
}

func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errBad):
		return http.StatusBadRequest
	case errors.Is(err, errBusy):
		return http.StatusTooManyRequests
	case errors.Is(err, safeio.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, safeio.ErrCorrupt), errors.Is(err, safeio.ErrMismatch), errors.Is(err, safeio.ErrLimit):
		return http.StatusUnprocessableEntity
	case errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// refuse answers with a status and one line.
func refuse(w http.ResponseWriter, status int, line string) {
	body, _ := json.Marshal(map[string]string{"error": line})
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	w.Write(body)
}

// number reads a number of the query, which lies from low to high and is other
// where it is not given.
func number(r *http.Request, name string, low, high, other int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return other, nil
	}
	return within(name, text, low, high)
}

// inPath reads a number of the path.
func inPath(r *http.Request, name string) (int, error) {
	return within(name, r.PathValue(name), 0, math.MaxInt32)
}

func within(name, text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s is a number from %d to %d, not %q: %w", name, low, high, text, errBad)
	}
	return n, nil
}
