package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// bucketScheme begins the address of objects in a store that speaks S3.
const bucketScheme = "s3://"

// s3Bucket is what lies below a prefix of a bucket. It is a [Store], a [place] of
// sources, and where a data set can be published.
type s3Bucket struct {
	ctx    context.Context // ends all that is done with it
	core   minio.Core
	name   string
	prefix string // of keys: empty, or with a slash at its end
}

// openBucket connects to s3://NAME/PREFIX. Endpoint, region and credentials are
// those of the AWS command line: from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL,
// AWS_REGION or AWS_DEFAULT_REGION, and AWS_ACCESS_KEY_ID and its like,
// ~/.aws/credentials, or what a container was given. Without any, requests are not
// signed. Nothing is asked of the server yet.
func openBucket(ctx context.Context, address string) (*s3Bucket, error) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(address, bucketScheme), "/")
	if name == "" {
		return nil, fmt.Errorf("open %q: no bucket in it: write s3://BUCKET/PREFIX", address)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("open %q: the endpoint %q is not an address such as https://HOST", address, endpoint)
	}
	client, err := minio.New(at.Host, &minio.Options{
		Creds:  credentials.NewChainCredentials(providers()),
		Secure: at.Scheme == "https",
		Region: cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
	})
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", address, err)
	}
	return &s3Bucket{ctx: ctx, core: minio.Core{Client: client}, name: name, prefix: prefix}, nil
}

// providers lists where credentials may come from. That of containers asks a server
// and would wait for it where there is none.
func providers() []credentials.Provider {
	list := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	for _, sign := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if os.Getenv(sign) != "" {
			return append(list, &credentials.IAM{})
		}
	}
	return list
}

func (b *s3Bucket) path(name string) string { return bucketScheme + b.name + "/" + b.prefix + name }

// Open reads an object from its beginning.
func (b *s3Bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	body, _, _, err := b.core.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, b.kind(err)
	}
	return body, nil
}

// explain says what was asked for and gives the answer its kind.
func (b *s3Bucket) explain(what, name string, err error) error {
	return fmt.Errorf("%s %q: %w", what, b.path(name), b.kind(err))
}

// kind gives an answer of the server its kind.
func (b *s3Bucket) kind(err error) error {
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey, minio.NoSuchBucket:
		err = fmt.Errorf("%w: %w", safeio.ErrNotFound, err)
	case minio.AccessDenied:
		err = fmt.Errorf("%w: %w (set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY?)", fs.ErrPermission, err)
	}
	if b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return err
}

// small reads a whole object of at most limit bytes.
func (b *s3Bucket) small(name string, limit int64) ([]byte, error) {
	return remote{store: b}.small(b.ctx, name, limit)
}

// digestKey is where the SHA-256 of a shard is among the metadata of its object.
const digestKey = "Sha256"

// publish copies the file of a shard to its object, which appears whole or not at
// all.
func (b *s3Bucket) publish(path string, s ShardInfo) error {
	_, err := b.core.FPutObject(b.ctx, b.name, b.prefix+s.File, path, minio.PutObjectOptions{
		ContentType: "application/octet-stream", UserMetadata: map[string]string{digestKey: s.SHA256},
	})
	if err != nil {
		return b.explain("write", s.File, err)
	}
	return nil
}

// has tells whether the object of a shard is what publish would make of it.
func (b *s3Bucket) has(s ShardInfo) (bool, error) {
	info, err := b.core.StatObject(b.ctx, b.name, b.prefix+s.File, minio.StatObjectOptions{})
	if err != nil {
		err = b.explain("look for", s.File, err)
		if errors.Is(err, safeio.ErrNotFound) {
			err = nil
		}
		return false, err
	}
	return info.Size == s.Bytes && info.UserMetadata[digestKey] == s.SHA256, nil
}

// put writes a small object.
func (b *s3Bucket) put(name string, data []byte) error {
	_, err := b.core.Client.PutObject(b.ctx, b.name, b.prefix+name, strings.NewReader(string(data)), int64(len(data)),
		minio.PutObjectOptions{ContentType: "application/json"})
	if err != nil {
		return b.explain("write", name, err)
	}
	return nil
}
