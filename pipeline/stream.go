package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// StreamOptions says which windows of a data set are wanted.
type StreamOptions struct {
	Split  string // default [TrainSplit]
	Length int    // tokens a window
	Seed   uint64 // decides the order and where windows are cut

	// Rank is the number of this reader among World readers that share the
	// windows out; default 0 of 1.
	Rank, World int

	// Follow takes the shards of the first epoch as they are made, see [Follow].
	Follow bool
}

// Cursor is a place in a stream: the next window is Index of Epoch. It is all
// that a reader has to save, and one cursor serves all readers, however many
// they are.
type Cursor struct {
	Epoch int    `json:"epoch"`
	Index int    `json:"index"`
	Seed  uint64 `json:"seed"`
}

// Stream gives the windows of a data set, shuffled, epoch after epoch.
//
// The documents of a shard are put one behind the other, each followed by EOS,
// and the n tokens seen as a circle. In epoch e, window j of the floor(n/L)
// windows of a shard covers the tokens phase+jL ... phase+(j+1)L-1 modulo n,
// where phase is drawn anew each epoch: so each window is seen once an epoch,
// cuts fall elsewhere each time, and at most L-1 tokens of a shard sit out.
//
// The order of the windows is one for all readers. With the cursor at window i,
// reader r of w gives window i+r, and the cursor moves on by w:
//
//	window      i     i+1   i+2   i+3   i+4   i+5   ...
//	1 reader    0     0     0     0     0     0
//	3 readers   0     1     2     0     1     2
//
// So readers that have given equally many windows have equal cursors, and a
// batch of B windows is the same windows for every w that divides B, before and
// after a cursor is handed on to another number of readers.
//
// A stream that follows goes through the first epoch in the order in which units
// are made: its shards are not permuted, and it waits where there is no whole
// group yet. So what it gives does not depend on how far the data set was when.
// Its cursor counts on through all epochs, as the length of the first is not
// known until its end; the others are as ever.
//
// A Stream is for one goroutine; it reads ahead in others until it is closed.
type Stream struct {
	set         *Dataset
	shards      []shardWindows
	windows     int // an epoch; while following, of the groups that are there
	length      int
	seed        uint64
	rank, world int
	follow      *growth // nil: all shards are known from the start
	cursor      Cursor
	cancel      context.CancelFunc // of what is being fetched
	cache       *cache
	order       order  // of the epoch that was asked for last
	entered     [2]int // epoch and group that Next has read last; -1: none
}

// shardWindows is a shard that has windows.
type shardWindows struct {
	info    ShardInfo
	windows int
	bytes   int64 // of its tokens in memory
}

// Stream opens the windows of a split. Shards with fewer tokens than a window
// have none; if there is no window at all, the error is [safeio.ErrNotFound].
func (d *Dataset) Stream(o StreamOptions) (*Stream, error) {
	if o.Split == "" {
		o.Split = TrainSplit
	}
	if o.World == 0 {
		o.World = 1
	}
	if o.Length < 1 {
		return nil, fmt.Errorf("stream %q: windows of %d tokens", d.dir, o.Length)
	}
	if o.World < 0 || o.Rank < 0 || o.Rank >= o.World {
		return nil, fmt.Errorf("stream %q: reader %d of %d", d.dir, o.Rank, o.World)
	}
	s := &Stream{
		set: d, length: o.Length, seed: o.Seed, rank: o.Rank, world: o.World,
		cursor: Cursor{Seed: o.Seed}, order: order{epoch: -1}, entered: [2]int{-1, -1},
	}
	var err error
	switch {
	case o.Follow:
		s.follow = &growth{set: d, split: o.Split}
		_, err = s.look()
	case d.finished:
		err = s.take(d.shards(o.Split), true)
	default:
		err = fmt.Errorf("%w: it is not finished, its windows are for a stream that follows", safeio.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("stream the %s split of %q: %w", o.Split, d.dir, err)
	}
	ctx, cancel := context.WithCancel(d.ctx)
	s.cancel = cancel
	s.cache = newCache(2*groupSize, func(s ShardInfo) (circle, error) { return d.load(ctx, s) })
	return s, nil
}

// take adds shards to the stream. Unless there are no more to come, their windows
// count only up to the last whole group.
func (s *Stream) take(shards []ShardInfo, all bool) error {
	v := s.set.manifest.Plan.Tokenizer
	for _, info := range shards {
		tokens := v.circle(info)
		if n := int(tokens / int64(s.length)); n > 0 {
			s.shards = append(s.shards, shardWindows{info, n, tokens * width(v)})
		}
	}
	s.order.epoch, s.windows = -1, 0
	for _, w := range s.whole(all) {
		s.windows += w.windows
	}
	if all && s.windows == 0 {
		return fmt.Errorf("%w: it has no window of %d tokens", safeio.ErrNotFound, s.length)
	}
	return nil
}

// whole are the shards in whole groups, or all.
func (s *Stream) whole(all bool) []shardWindows {
	if all {
		return s.shards
	}
	return s.shards[:len(s.shards)/groupSize*groupSize]
}

// Windows is the number of windows an epoch, of all readers together.
func (s *Stream) Windows() int { return s.windows }

// Bytes is the memory that it takes at most: the tokens of two groups of shards,
// and the files that are read: one by Next, the others ahead. Of shards that are
// not made yet it takes those that are for the measure, and before the first one
// a token for each byte of a unit's text.
func (s *Stream) Bytes() int64 {
	var tokens, files []int64
	for _, w := range s.shards {
		tokens, files = append(tokens, w.bytes), append(files, w.info.Bytes)
	}
	if !s.complete() {
		plan := s.set.manifest.Plan
		most := plan.ShardSize * width(plan.Tokenizer)
		if len(tokens) > 0 {
			most = slices.Max(tokens)
		}
		tokens = slices.Repeat([]int64{most}, 2*groupSize)
		files = append(files, slices.Repeat([]int64{plan.ShardSize}, 1+loaders())...)
	}
	if s.set.manifest.Plan.Format == FormatArrow {
		files = nil // mapped, not read
	}
	return largest(2*groupSize, tokens) + largest(1+loaders(), files)
}

// largest is the sum of the n largest sizes.
func largest(n int, sizes []int64) (sum int64) {
	slices.Sort(sizes)
	for _, size := range sizes[max(0, len(sizes)-n):] {
		sum += size
	}
	return sum
}

// Window copies window i of an epoch to dst, which has room for one. It depends
// on the data set, the seed, the epoch and i alone, not on the reader, and does
// not move the cursor.
func (s *Stream) Window(dst []int32, epoch, i int) error {
	if len(dst) != s.length || epoch < 0 || epoch > 0 && !s.complete() || i < 0 || i >= s.windows {
		return fmt.Errorf("read window %d of epoch %d into %d tokens: the stream has %d windows of %d", i, epoch, len(dst), s.windows, s.length)
	}
	shard, j := s.orderOf(epoch).locate(s.shards, s.seed, i)
	e, err := s.cache.get(s.shards[shard].info)
	if err != nil {
		return err
	}
	defer s.cache.put(e)
	n := e.circle.len()
	phase := rng.New(s.seed, "phase", uint64(epoch), uint64(shard))
	return e.circle.copy(dst, (phase.IntN(n)+j*s.length)%n)
}

// orderOf computes the order of an epoch, once for all its windows.
func (s *Stream) orderOf(epoch int) order {
	if s.order.epoch != epoch {
		s.order = s.newOrder(epoch)
	}
	return s.order
}

func (s *Stream) newOrder(epoch int) order {
	return newOrder(s.whole(s.complete()), s.seed, epoch, s.follow != nil && epoch == 0)
}

// complete says whether all shards are known.
func (s *Stream) complete() bool { return s.follow == nil || s.follow.done }

// Next copies this reader's next window to dst and moves the cursor on. There is
// no end: an epoch follows the other. A stream that follows gives [ErrPending],
// and stays where it is, if that window has not been made yet.
func (s *Stream) Next(dst []int32) error {
	at, there := s.place(s.rank)
	if !there {
		if _, err := s.look(); err != nil {
			return err
		}
		if at, there = s.place(s.rank); !there {
			return fmt.Errorf("read window %d of %q: %w", at.Index, s.set.dir, ErrPending)
		}
	}
	o := s.orderOf(at.Epoch)
	if g := o.groupOf(at.Index); s.entered != [2]int{at.Epoch, g} {
		s.enter(o, g)
	}
	if err := s.Window(dst, at.Epoch, at.Index); err != nil {
		return err
	}
	if s.follow != nil {
		s.cursor.Index += s.world
	} else {
		s.cursor, _ = s.place(s.world)
	}
	return nil
}

// place is the window that stands n windows behind the cursor, and whether it is
// there.
func (s *Stream) place(n int) (c Cursor, there bool) {
	c = s.cursor
	c.Index += n
	if !s.complete() {
		return c, c.Index < s.windows
	}
	c.Epoch += c.Index / s.windows
	c.Index %= s.windows
	return c, true
}

// enter has the shards of a group loaded, and then those of the one after it, if
// it is there.
func (s *Stream) enter(o order, g int) {
	s.entered = [2]int{o.epoch, g}
	members := slices.Clone(o.members(g))
	switch next := g + 1; {
	case next < o.groups():
		members = append(members, o.members(next)...)
	case s.complete():
		members = append(members, s.newOrder(o.epoch+1).members(0)...)
	}
	wanted := make([]ShardInfo, len(members))
	for i, shard := range members {
		wanted[i] = s.shards[shard].info
	}
	s.cache.prefetch(wanted)
}

// Cursor is the place from which this reader, and all that have given as many
// windows, go on.
func (s *Stream) Cursor() Cursor { return s.cursor }

// Seek moves the cursor, at no cost in the distance. A cursor of a stream with
// another seed is refused with [safeio.ErrMismatch].
func (s *Stream) Seek(c Cursor) error {
	if c.Seed != s.seed {
		return fmt.Errorf("continue the stream: %w: the cursor is of seed %d, the stream of %d", safeio.ErrMismatch, c.Seed, s.seed)
	}
	if c.Epoch < 0 || c.Index < 0 || s.follow == nil && c.Index >= s.windows || s.follow != nil && c.Epoch > 0 {
		return fmt.Errorf("continue the stream: %w: window %d of epoch %d; there are %d an epoch", safeio.ErrMismatch, c.Index, c.Epoch, s.windows)
	}
	s.cursor = c
	return nil
}

// Close stops reading ahead and frees the shards.
func (s *Stream) Close() error {
	s.cancel()
	s.cache.close()
	return nil
}

// errClosed is the error of a stream that is used after Close.
var errClosed = errors.New("read from a stream that is closed")
