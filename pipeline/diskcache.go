package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// DiskCache keeps copies of shards that are far away in a directory of at most
// budget bytes.
//
//	91ab…c4          a whole copy, named by the SHA-256 of its bytes
//	.part-07fe…19    one that is being fetched; locked by who fetches it
//	.room            locked by who makes room or finishes a copy
//
// Any number of processes may share a directory. A copy is fetched by one of
// them, while the others that want it wait; room is made, under a lock, by
// removing the copies that were wanted longest ago, and is taken in full before
// the first byte is fetched. A copy can be removed while it is read: the reader
// keeps it, the directory has its room back when the reader is done. What a
// killed process was fetching is removed by the next that makes room.
//
// Names are contents, so a copy is right wherever it came from, and nothing has
// to be written durably: who reads a copy checks its hash.
type DiskCache struct {
	dir    string
	budget int64

	patience time.Duration // with a store that gives nothing
	pauses   []time.Duration
}

// OpenDiskCache makes the directory of a cache if it is missing.
func OpenDiskCache(dir string, budget int64) (*DiskCache, error) {
	if budget < 1 {
		return nil, fmt.Errorf("open cache %q: a size of %d bytes", dir, budget)
	}
	if err := (safeio.FS{}).MkdirAll(dir); err != nil {
		return nil, err
	}
	return &DiskCache{
		dir: dir, budget: budget, patience: time.Minute, pauses: []time.Duration{200 * time.Millisecond, 2 * time.Second},
	}, nil
}

// fetcher begins to read a file of a store.
type fetcher func(context.Context) (io.ReadCloser, error)

const (
	partPrefix = ".part-"
	roomName   = ".room"
	// lockPoll is how often a lock that another holds is tried: the system's own
	// waiting could not be interrupted.
	lockPoll = 20 * time.Millisecond
)

// get opens the copy of a shard, fetching it if it is not there.
func (c *DiskCache) get(ctx context.Context, s ShardInfo, fetch fetcher) (*os.File, error) {
	path := filepath.Join(c.dir, s.SHA256)
	for {
		if file, err := openRegular(path); err == nil {
			now := time.Now()
			os.Chtimes(path, now, now) // wanted just now; it may be gone already
			return file, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("read shard %q from cache: open %q: %w", s.File, path, err)
		}
		part, err := lockFile(ctx, filepath.Join(c.dir, partPrefix+s.SHA256))
		if err != nil {
			return nil, fmt.Errorf("fetch shard %q into the cache: %w", s.File, err)
		}
		if _, err := os.Lstat(path); err == nil { // fetched by who held the lock
			c.abandon(part)
			continue
		}
		if err = c.reserve(ctx, part, s); err == nil {
			err = c.fetch(ctx, part, s, fetch)
		}
		if err == nil {
			err = c.commit(ctx, part, path)
		}
		if err == nil {
			_, err = part.Seek(0, io.SeekStart)
		}
		if err != nil {
			c.abandon(part)
			return nil, fmt.Errorf("fetch shard %q into the cache: %w", s.File, err)
		}
		return part, unlock(part)
	}
}

// commit gives a part its name as a copy, when nobody is counting them.
func (c *DiskCache) commit(ctx context.Context, part *os.File, path string) error {
	room, err := lockFile(ctx, filepath.Join(c.dir, roomName))
	if err != nil {
		return err
	}
	defer room.Close() // gives up the lock
	return os.Rename(part.Name(), path)
}

// remove removes the copy of a shard and says whether there was one.
func (c *DiskCache) remove(s ShardInfo) bool { return os.Remove(filepath.Join(c.dir, s.SHA256)) == nil }

// abandon removes a part while its lock keeps others from it, and closes it.
func (c *DiskCache) abandon(part *os.File) {
	os.Remove(part.Name())
	part.Close()
}

// fetch fills a part, trying again after failures that may pass.
func (c *DiskCache) fetch(ctx context.Context, part *os.File, s ShardInfo, fetch fetcher) error {
	for try := 0; ; try++ {
		err := c.fetchOnce(ctx, part, s, fetch)
		if err == nil || try == len(c.pauses) || ctx.Err() != nil || errors.Is(err, safeio.ErrNotFound) || errors.Is(err, syscall.ENOSPC) {
			return err
		}
		if err := pause(ctx, c.pauses[try]); err != nil {
			return err
		}
	}
}

func (c *DiskCache) fetchOnce(ctx context.Context, part *os.File, s ShardInfo, fetch fetcher) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.patience, func() { cancel(fmt.Errorf("nothing came for %v", c.patience)) })
	defer watchdog.Stop()
	body, err := fetch(ctx)
	if err != nil {
		return because(ctx, err)
	}
	defer body.Close()
	sum := sha256.New()
	var n int64
	for buf := make([]byte, readSize); ; {
		k, err := body.Read(buf[:min(int64(len(buf)), s.Bytes+1-n)])
		if k > 0 {
			watchdog.Reset(c.patience)
			sum.Write(buf[:k])
			if _, err := part.WriteAt(buf[:k], n); err != nil {
				return err
			}
			n += int64(k)
		}
		if err == io.EOF || n > s.Bytes {
			return checkSum(n, sum.Sum(nil), s)
		}
		if err != nil {
			return because(ctx, err)
		}
	}
}

// because puts the reason why the context ended, if it did, before what came of
// that.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}

// lockFile makes a file, waits until no other holds its lock, and takes it.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		for {
			err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
			if !errors.Is(err, syscall.EWOULDBLOCK) {
				break
			}
			if err = pause(ctx, lockPoll); err != nil {
				break
			}
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		// Who held it may have renamed or removed it.
		held, err := file.Stat()
		if named, lerr := os.Lstat(path); err == nil && lerr == nil && os.SameFile(held, named) {
			return file, nil
		}
		file.Close()
	}
}

func unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
