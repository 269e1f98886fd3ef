package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// reserve makes room for a shard and gives it to the part, which is then as long
// as the shard will be. If others are fetching so much that no room can be made,
// it waits for them.
func (c *DiskCache) reserve(ctx context.Context, part *os.File, s ShardInfo) error {
	if s.Bytes > c.budget {
		return fmt.Errorf("%w: it has %d bytes, the cache %q %d", safeio.ErrLimit, s.Bytes, c.dir, c.budget)
	}
	for {
		made, err := c.tryReserve(ctx, part, s.Bytes)
		if made || err != nil {
			return err
		}
		if err := pause(ctx, lockPoll); err != nil {
			return err
		}
	}
}

func (c *DiskCache) tryReserve(ctx context.Context, part *os.File, size int64) (made bool, err error) {
	room, err := lockFile(ctx, filepath.Join(c.dir, roomName))
	if err != nil {
		return false, err
	}
	defer room.Close() // gives up the lock
	copies, parts, err := c.list(filepath.Base(part.Name()))
	if err != nil {
		return false, err
	}
	taken := parts
	for _, f := range copies {
		taken += f.size
	}
	for _, f := range copies {
		if taken+size <= c.budget {
			break
		}
		if err := os.Remove(filepath.Join(c.dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		taken -= f.size
	}
	if taken+size > c.budget {
		return false, nil
	}
	return true, part.Truncate(size)
}

// copied is a whole copy in the cache.
type copied struct {
	name string
	size int64
	used time.Time
}

// copyName is the form of a copy's name: nothing else is ever removed but parts.
var copyName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// list returns the copies, the one that was wanted longest ago first, and the
// bytes of the parts that others are fetching. Parts that nobody is fetching any
// more are removed.
func (c *DiskCache) list(own string) (copies []copied, parts int64, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() { // gone since, or not ours
			continue
		}
		switch name := e.Name(); {
		case copyName.MatchString(name):
			copies = append(copies, copied{name, info.Size(), info.ModTime()})
		case name == own:
		case strings.HasPrefix(name, partPrefix) && !c.removeStale(name):
			parts += info.Size()
		}
	}
	slices.SortFunc(copies, func(a, b copied) int { return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name)) })
	return copies, parts, nil
}

// removeStale removes a part whose lock is free: who fetched it is dead.
func (c *DiskCache) removeStale(name string) bool {
	part, err := os.OpenFile(filepath.Join(c.dir, name), os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer part.Close()
	if syscall.Flock(int(part.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false
	}
	os.Remove(part.Name())
	return true
}
