package page

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/seed-4c77ef92/textwarp/internal/inspect"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
	"github.com/seed-4c77ef92/textwarp/pipeline"
	"github.com/seed-4c77ef92/textwarp/tokenize"
)

// Bounds of what is shown of documents.
const (
	mostDocuments = 200
	mostShown     = 20_000 // tokens of a document
	mostParts     = 1000   // shards in the list
	beginning     = 80     // characters
)

// shards is the directory of shards, whose documents are counted once.
type shards struct {
	dir  string
	data *pipeline.Dataset

	open  context.Context // until close
	close context.CancelFunc
	once  sync.Once
	done  chan struct{} // closed when view and err are there
	view  *inspect.Shards
	err   error

	turn   sync.Mutex // one shard is decoded at a time
	shown  int        // tokens of a document
	tokens *tokenize.Tokenizer
}

func openShards(dir string) (*shards, error) {
	d, err := pipeline.Open(dir)
	if err != nil {
		return nil, err
	}
	s := &shards{dir: dir, data: d, done: make(chan struct{}), shown: mostShown}
	s.open, s.close = context.WithCancel(context.Background())
	json, err := d.Tokenizer()
	if err == nil {
		s.tokens, err = tokenize.Parse(json)
	}
	return s, err
}

// count reads the documents, of large data sets some, on the first call, and waits
// for it.
func (s *shards) count(ctx context.Context) (*inspect.Shards, error) {
	s.once.Do(func() {
		go func() {
			defer close(s.done)
			s.view, s.err = inspect.ReadShards(s.open, s.dir, countedTokens)
		}()
	})
	select {
	case <-s.done:
		return s.view, s.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// counts are those of the tokens, nil where there are none to be had.
func (s *shards) counts(ctx context.Context) (*inspect.Shards, error) {
	if s == nil {
		return nil, nil
	}
	view, err := s.count(ctx)
	if ctx.Err() != nil {
		return nil, err
	}
	return view, nil
}

// end ends the counting and waits for it.
func (s *shards) end() {
	s.close()
	s.once.Do(func() { close(s.done) })
	<-s.done
}

var errNoShards = fmt.Errorf("no shards are shown: start inspect serve with --stream SHARDS: %w", safeio.ErrNotFound)

// shardsView waits for the counts.
func (s *Server) shardsView(r *http.Request) (*inspect.Shards, error) {
	if s.shards == nil {
		return nil, errNoShards
	}
	return s.shards.count(r.Context())
}

func (s *Server) getShards(r *http.Request) (*inspect.Shards, error) {
	v, err := s.shardsView(r)
	if err != nil {
		return nil, err
	}
	shown := *v
	shown.Shards = v.Shards[:min(len(v.Shards), mostParts)]
	return &shown, nil
}

type documentsAnswer struct {
	Total     int64           `json:"total"`
	Documents []documentEntry `json:"documents"`
}

// documentEntry is a document in the list; its id is its place in the order of
// the manifest.
type documentEntry struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	Tokens int    `json:"tokens"`
	Bytes  int    `json:"bytes"`
	Begins string `json:"begins"`
}

func (s *Server) getDocuments(r *http.Request) (documentsAnswer, error) {
	a := documentsAnswer{Documents: []documentEntry{}}
	if s.shards == nil {
		return a, errNoShards
	}
	a.Total = s.shards.data.Manifest().Totals("").Documents
	offset, err := number(r, "offset", 0, int(min(a.Total, 1<<31-1)), 0)
	if err != nil {
		return a, err
	}
	limit, err := number(r, "limit", 1, mostDocuments, 50)
	if err != nil {
		return a, err
	}
	s.shards.turn.Lock()
	defer s.shards.turn.Unlock()
	for doc, err := range s.shards.data.DocsFrom(int64(offset)) {
		if err == nil {
			err = r.Context().Err()
		}
		if err != nil {
			return a, err
		}
		a.Documents = append(a.Documents, documentEntry{
			strconv.Itoa(offset + len(a.Documents)), doc.Source, len(doc.Tokens), len(doc.Text), begins(doc.Text),
		})
		if len(a.Documents) == limit {
			break
		}
	}
	return a, nil
}

// begins is the first line of a text, or what there is room for.
func begins(text string) string {
	n := 0
	for i, r := range text {
		if n++; n > beginning || r == '\n' && i > 0 {
			return text[:i]
		}
	}
	return text
}

type documentAnswer struct {
	ID     string   `json:"id"`
	Source string   `json:"source"`
	Text   string   `json:"text"`
	Tokens []string `json:"tokens"`
	More   bool     `json:"more,omitempty"`
}

func (s *Server) getDocument(r *http.Request) (documentAnswer, error) {
	var a documentAnswer
	if s.shards == nil {
		return a, errNoShards
	}
	at, err := inPath(r, "document")
	if err != nil {
		return a, err
	}
	s.shards.turn.Lock()
	defer s.shards.turn.Unlock()
	for doc, err := range s.shards.data.DocsFrom(int64(at)) {
		if err != nil {
			return a, err
		}
		a = documentAnswer{ID: strconv.Itoa(at), Source: doc.Source, Text: doc.Text}
		ids := doc.Tokens
		if len(ids) > s.shards.shown {
			ids, a.More = ids[:s.shards.shown], true
			a.Text = string(s.shards.tokens.Decode(nil, ids))
			for !utf8.ValidString(a.Text) && len(a.Text) > 0 { // cut within a character
				_, size := utf8.DecodeLastRuneInString(a.Text)
				if a.Text = a.Text[:len(a.Text)-size]; size > 1 {
					break
				}
			}
		}
		a.Tokens = pieces(s.shards.tokens, ids)
		return a, nil
	}
	return a, fmt.Errorf("there is no document %d: %w", at, safeio.ErrNotFound)
}
