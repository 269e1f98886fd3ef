package pipeline

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// httpStore is a directory of a web server.
type httpStore struct {
	base   *url.URL
	client *http.Client
}

// newHTTPStore bounds the time until a server answers; that it goes on to give
// bytes is for the reader to watch.
func newHTTPStore(base *url.URL) *httpStore {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.DisableCompression = true // the bytes are wanted as they were hashed
	return &httpStore{base, &http.Client{Transport: transport}}
}

func (h *httpStore) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	at := h.base.JoinPath(name)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("get %q: %w", at.Redacted(), err)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return nil, err // names method and address
	}
	switch response.StatusCode {
	case http.StatusOK:
		return response.Body, nil
	case http.StatusNotFound, http.StatusGone:
		err = fmt.Errorf("get %q: %w: the server says %s", at.Redacted(), safeio.ErrNotFound, response.Status)
	default:
		err = fmt.Errorf("get %q: the server says %s", at.Redacted(), response.Status)
	}
	response.Body.Close()
	return nil, err
}
