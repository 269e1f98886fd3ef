package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// ErrPending says that the next window is of a shard that has not been made yet.
var ErrPending = errors.New("not made yet")

// planName is the file in which a writer says what it makes.
const planName = "plan.json"

// followEvery is how often a stream that waits looks for new shards.
const followEvery = 200 * time.Millisecond

// Follow opens a data set that another process may still be making: as [OpenAt]
// if it is finished, else by the plan of its writer. Its windows are to be had by
// a stream that follows.
func Follow(ctx context.Context, location string, c *DiskCache) (*Dataset, error) {
	d, err := locate(ctx, location, c)
	if err != nil {
		return nil, err
	}
	// A writer that finishes puts the manifest there before it takes the plan away.
	for range 2 {
		if _, err = openFinished(d); !errors.Is(err, safeio.ErrNotFound) {
			return d, err
		}
		plan, perr := d.readPlan()
		if perr == nil {
			d.manifest = &Manifest{Plan: plan}
			return d, nil
		}
		if !errors.Is(perr, safeio.ErrNotFound) {
			return nil, perr
		}
	}
	return nil, fmt.Errorf("follow data set %q: %w: nothing is being made there (prep shard first reads its corpus; begin to follow when it writes shards)", d.dir, safeio.ErrNotFound)
}

// Plan is what the data set is made by, finished or not.
func (d *Dataset) Plan() Plan { return d.manifest.Plan }

// Hash names what is made by the plan: equal for equal corpora and options.
func (p Plan) Hash() string {
	sum := sha256.Sum256(marshal(p))
	return hex.EncodeToString(sum[:])
}

// readPlan reads the plan of unfinished work.
func (d *Dataset) readPlan() (Plan, error) {
	name := path.Join(workDir, planName)
	var p Plan
	data, err := d.files.small(d.ctx, name, maxManifest)
	if err == nil {
		if err = json.Unmarshal(data, &p); err != nil {
			err = fmt.Errorf("%w: %w", safeio.ErrCorrupt, err)
		} else {
			err = (&Manifest{Plan: p}).validate()
		}
	}
	if err != nil {
		return p, fmt.Errorf("read plan %q: %w", d.at(name), err)
	}
	return p, nil
}

// share puts the tokenizer where readers that follow the work find it.
func (w *work) share(tokenizer []byte) error {
	if w.finished != nil || len(tokenizer) == 0 {
		return nil
	}
	return w.write(filepath.Join(workDir, tokenizerName), tokenizer)
}

// growth is what is known of a split of a data set while it is made: the shards
// of the first units, without a gap. That they are taken up in the order of their
// units, whatever the order in which they are finished, is what makes a stream
// that follows independent of time.
type growth struct {
	set    *Dataset
	split  string
	units  int
	shards []ShardInfo
	done   bool
}

// look takes up what was finished since the last look and returns it.
func (g *growth) look() ([]ShardInfo, error) {
	if g.done {
		return nil, nil
	}
	known := len(g.shards)
	m, err := g.set.readManifest()
	if err == nil {
		return g.finish(m)
	}
	if !errors.Is(err, safeio.ErrNotFound) {
		return nil, err
	}
	for {
		r, err := g.record()
		if errors.Is(err, safeio.ErrNotFound) {
			return g.shards[known:], nil
		}
		if err != nil {
			return nil, err
		}
		g.units++
		for _, s := range r.Shards {
			if s.Split == g.split {
				g.shards = append(g.shards, s)
			}
		}
	}
}

// record reads the record of the next unit.
func (g *growth) record() (record, error) {
	d, name := g.set, filepath.ToSlash(recordName(g.units))
	data, err := d.files.small(d.ctx, name, maxManifest)
	if err != nil {
		return record{}, fmt.Errorf("read record %q: %w", d.at(name), err)
	}
	var r record
	if err = json.Unmarshal(data, &r); err != nil {
		err = fmt.Errorf("%w: %w", safeio.ErrCorrupt, err)
	} else {
		err = (&Manifest{Plan: d.manifest.Plan, Shards: r.Shards}).validate()
	}
	if err != nil {
		return record{}, fmt.Errorf("read record %q: %w", d.at(name), err)
	}
	return r, nil
}

// finish takes up the rest from the manifest, which must have begun as the
// records did.
func (g *growth) finish(m *Manifest) ([]ShardInfo, error) {
	if d := g.set.manifest.Plan.difference(m.Plan); d != "" {
		return nil, fmt.Errorf("follow data set %q: %w: what is finished there has another %s", g.set.dir, safeio.ErrMismatch, d)
	}
	known := g.shards
	var all []ShardInfo
	for _, s := range m.Shards {
		if s.Split == g.split {
			all = append(all, s)
		}
	}
	if len(all) < len(known) || !slices.Equal(all[:len(known)], known) {
		return nil, fmt.Errorf("follow data set %q: %w: its manifest does not begin with the shards that were there before", g.set.dir, safeio.ErrMismatch)
	}
	g.shards, g.done = all, true
	return all[len(known):], nil
}

// abandoned says whether nobody is at work: a writer has its lock file for as
// long as it lives, and takes it away when it leaves in good order.
func (g *growth) abandoned() bool {
	_, err := g.set.files.small(g.set.ctx, lockName, 1<<10)
	return errors.Is(err, safeio.ErrNotFound)
}

// lockName is the file by which internal/safeio locks a directory.
const lockName = ".lock"

// Wait returns when the next n windows of this reader are there: at once, unless
// the stream follows a data set that is not that far. It calls waiting before it
// begins to wait. If nobody is making the data set any more, that is
// [safeio.ErrNotFound]; if the context ends, its cause.
func (s *Stream) Wait(ctx context.Context, n int, waiting func()) error {
	told := false
	for abandoned := false; ; {
		if _, there := s.place((n-1)*s.world + s.rank); there {
			return nil
		}
		news, err := s.look()
		if err != nil {
			return err
		}
		switch {
		case news:
			continue
		case abandoned:
			return fmt.Errorf("follow data set %q: %w: it is not finished, and nobody is making it (run the same prep shard command again)", s.set.dir, safeio.ErrNotFound)
		case s.follow.abandoned():
			abandoned = true // unless it was finished since the look
			continue
		case !told:
			told = true
			waiting()
		}
		if err := pause(ctx, followEvery); err != nil {
			return err
		}
	}
}

// look takes up new shards of a data set that is being made and says whether
// there are windows that were not there before, or will be no more of them.
func (s *Stream) look() (news bool, err error) {
	fresh, err := s.follow.look()
	if err != nil || len(fresh) == 0 && !s.follow.done {
		return false, err
	}
	before := s.windows
	if err := s.take(fresh, s.follow.done); err != nil {
		return false, err
	}
	return s.windows > before || s.follow.done, nil
}
