package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// destination opens the bucket that the data set is to be in, if Out is one, and has
// the work done in Staging.
func (o *Options) destination(ctx context.Context) (*s3Bucket, error) {
	scheme, _, elsewhere := strings.Cut(o.Out, "://")
	switch {
	case !elsewhere:
		return nil, nil
	case scheme+"://" != bucketScheme:
		return nil, fmt.Errorf("make data set %q: data sets are written to directories and s3://, not to %s://", o.Out, scheme)
	}
	if o.Staging == "" {
		return nil, fmt.Errorf("make data set %q: no directory to do the work in", o.Out)
	}
	if o.Engine != nil {
		return nil, fmt.Errorf("make data set %q: the workers of an engine write to a directory that all of them see; copy it to the bucket when it is finished", o.Out)
	}
	to, err := openBucket(ctx, o.Out)
	if err != nil {
		return nil, err
	}
	o.Out = o.Staging
	return to, nil
}

// where names the data set in messages.
func (w *work) where() string {
	if w.to != nil {
		return w.to.path("")
	}
	return w.dir
}

// recall fetches the manifest of a data set that is in the bucket already, unless
// there is work here to go on with.
func (w *work) recall() error {
	if w.to == nil {
		return nil
	}
	if err := os.Remove(w.path(manifestName)); err != nil && !errors.Is(err, os.ErrNotExist) { // the bucket's counts
		return fmt.Errorf("make data set %q: %w", w.dir, bare(err))
	}
	if _, err := os.Stat(w.path(workDir)); err == nil {
		return nil
	}
	data, err := w.to.small(manifestName, maxManifest)
	if errors.Is(err, safeio.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.write(manifestName, data)
}

// moveOut moves shards to the bucket.
func (w *work) moveOut(shards []ShardInfo) error {
	if w.to == nil {
		return nil
	}
	for _, s := range shards {
		if err := w.to.publish(w.path(s.File), s); err != nil {
			return err
		}
		if err := os.Remove(w.path(s.File)); err != nil {
			return fmt.Errorf("remove %q: %w", w.path(s.File), bare(err))
		}
	}
	return nil
}

// publish writes what makes the data set in the bucket complete, the manifest last,
// and leaves nothing of it here.
func (w *work) publish(m *Manifest, tokenizer []byte) error {
	if w.to == nil {
		return nil
	}
	if len(tokenizer) > 0 {
		if err := w.to.put(tokenizerName, tokenizer); err != nil {
			return err
		}
	}
	if err := w.to.put(manifestName, m.encode()); err != nil {
		return err
	}
	for _, name := range []string{tokenizerName, manifestName} {
		if err := os.Remove(w.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove %q: %w", w.path(name), bare(err))
		}
	}
	return nil
}
