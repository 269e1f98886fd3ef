package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// Store is where the files of a data set are when that is far away: a bucket, a
// web server, a network mount. Nothing that it gives is believed: the manifest
// has a checksum, and it has those of everything else.
type Store interface {
	// Open reads a file, named relative to the data set, from its beginning until
	// ctx ends. A file that is not there is [safeio.ErrNotFound].
	Open(ctx context.Context, name string) (io.ReadCloser, error)
}

// StoreAt returns the store at an address, which works until ctx ends. A path is no
// address: nil.
func StoreAt(ctx context.Context, address string) (Store, error) {
	scheme, _, ok := strings.Cut(address, "://")
	if !ok {
		return nil, nil
	}
	switch scheme {
	case "http", "https":
		base, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("open data set: %w", err)
		}
		return newHTTPStore(base), nil
	case "s3":
		return openBucket(ctx, address)
	}
	return nil, fmt.Errorf("open data set %q: data sets are read from directories, s3://, http:// and https://, not from %s://", address, scheme)
}

// DirStore is a directory as a store: a network mount, whose files are better
// read from a cache.
type DirStore string

// Open opens a file of the directory.
func (d DirStore) Open(_ context.Context, name string) (io.ReadCloser, error) {
	file, err := openRegular(filepath.Join(string(d), filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read %q: %w", name, safeio.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	return file, nil
}

// files is what a data set is read from.
type files interface {
	// small reads a whole file of at most limit bytes.
	small(ctx context.Context, name string, limit int64) ([]byte, error)
	// shard opens the file of a shard, whatever it holds.
	shard(ctx context.Context, s ShardInfo) (*os.File, error)
	// renew says that the file of a shard was damaged, and returns whether another
	// may be had.
	renew(s ShardInfo) bool
}

// directory is a data set on this machine.
type directory string

func (d directory) small(_ context.Context, name string, limit int64) ([]byte, error) {
	data, err := readLimited(filepath.Join(string(d), filepath.FromSlash(name)), limit)
	if errors.Is(err, os.ErrNotExist) {
		err = safeio.ErrNotFound
	}
	return data, err
}

func (d directory) shard(_ context.Context, s ShardInfo) (*os.File, error) {
	return openRegular(filepath.Join(string(d), s.File))
}

func (directory) renew(ShardInfo) bool { return false }

// remote is a data set in a store, whose shards are read from a cache.
type remote struct {
	store Store
	cache *DiskCache
}

func (r remote) small(ctx context.Context, name string, limit int64) ([]byte, error) {
	body, err := r.store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: larger than %d bytes", safeio.ErrLimit, limit)
	}
	return data, err
}

func (r remote) shard(ctx context.Context, s ShardInfo) (*os.File, error) {
	return r.cache.get(ctx, s, func(ctx context.Context) (io.ReadCloser, error) { return r.store.Open(ctx, s.File) })
}

func (r remote) renew(s ShardInfo) bool { return r.cache.remove(s) }
