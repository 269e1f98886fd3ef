package pipeline

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// bucket adds the object of an address, or the objects below it.
func (w *walker) bucket(arg string) error {
	b, err := openBucket(w.ctx, arg)
	if err != nil {
		return fmt.Errorf("read corpus: %w", err)
	}
	if key := strings.TrimSuffix(b.prefix, "/"); key != "" && !strings.HasSuffix(arg, "/") {
		info, err := b.core.StatObject(w.ctx, b.name, key, minio.StatObjectOptions{})
		if err == nil {
			at := *b
			at.prefix, _ = path.Split(key)
			w.object(&at, path.Base(key), info.Size, true)
			return nil
		}
		if err := b.explain("read corpus", "", err); !errors.Is(err, safeio.ErrNotFound) {
			return err
		}
	}
	found := false
	for info := range b.core.ListObjectsIter(w.ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if info.Err != nil {
			return b.explain("read corpus", "", info.Err)
		}
		found = true
		name := strings.TrimPrefix(info.Key, b.prefix)
		switch {
		case strings.HasSuffix(info.Key, "/"): // stands for a directory
		case strings.HasPrefix(name, ".") || strings.Contains(name, "/."):
			w.report.OtherFiles++
		default:
			w.object(b, name, info.Size, false)
		}
	}
	if !found {
		return fmt.Errorf("read corpus %q: %w: no object has this name or is below it", arg, safeio.ErrNotFound)
	}
	return nil
}

func (w *walker) object(at *s3Bucket, name string, size int64, named bool) {
	w.add(&source{place: at, name: name, stored: size}, at.path(name), named)
}

// open opens an object for reading. Its content is pinned: should it change, reading
// fails.
func (b *s3Bucket) open(name string) (object, error) {
	o := &s3Object{bucket: b, name: name}
	info, err := o.stat()
	if err != nil {
		return nil, err
	}
	o.size, o.etag = info.Size, info.ETag
	return o, nil
}

// s3Object is an object that is being read. Reading on where the last read ended
// goes on with the same answer of the server.
type s3Object struct {
	bucket *s3Bucket
	name   string
	size   int64
	etag   string

	mu   sync.Mutex
	body io.ReadCloser
	at   int64 // where body goes on
}

func (o *s3Object) stat() (minio.ObjectInfo, error) {
	info, err := o.bucket.core.StatObject(o.bucket.ctx, o.bucket.name, o.bucket.prefix+o.name, minio.StatObjectOptions{})
	if err != nil {
		err = o.bucket.kind(err)
	}
	return info, err
}

func (o *s3Object) state() (int64, uint64, error) {
	info, err := o.stat()
	if err != nil {
		return 0, 0, err
	}
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%d %s %d", info.Size, info.ETag, info.LastModified.UnixNano())
	return info.Size, sum.Sum64(), nil
}

// readTries is how often a read is begun before it has failed: connections that last
// for gigabytes break.
const readTries = 3

func (o *s3Object) ReadAt(p []byte, off int64) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	short := error(nil)
	if left := max(0, o.size-off); int64(len(p)) > left {
		p, short = p[:left], io.EOF
	}
	for try := 1; n < len(p); try++ {
		if err = o.seek(off + int64(n)); err == nil {
			var k int
			k, err = io.ReadFull(o.body, p[n:])
			n, o.at = n+k, o.at+int64(k)
		}
		if err == nil {
			break
		}
		o.hangUp()
		if try == readTries || o.bucket.ctx.Err() != nil {
			return n, o.bucket.kind(err)
		}
	}
	return n, short
}

// seek has body go on at off.
func (o *s3Object) seek(off int64) error {
	if o.body != nil && o.at == off {
		return nil
	}
	o.hangUp()
	var how minio.GetObjectOptions
	err := how.SetRange(off, o.size-1)
	if err == nil && o.etag != "" {
		err = how.SetMatchETag(o.etag)
	}
	if err == nil {
		o.body, _, _, err = o.bucket.core.GetObject(o.bucket.ctx, o.bucket.name, o.bucket.prefix+o.name, how)
	}
	o.at = off
	return err
}

func (o *s3Object) hangUp() {
	if o.body != nil {
		o.body.Close()
		o.body = nil
	}
}

func (o *s3Object) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hangUp()
	return nil
}
