package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
	"github.com/seed-4c77ef92/textwarp/internal/safeio"
)

// groupSize is the number of shards whose windows are mixed: what a stream
// holds in memory, once for the windows it gives and once for the next ones.
const groupSize = 4

// StreamOptions says which windows of a data set are wanted.
type StreamOptions struct {
	Split  string // default [TrainSplit]
	Length int    // tokens a window
	Seed   uint64 // decides the order and where windows are cut
}

// Cursor is a place in a stream: the next window is Index of Epoch. It is all
// that a reader has to save.
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
//	epoch e:   shard 7  shard 2  shard 9  shard 4 │ shard 1 ...    shards permuted
//	           └───── group 0: windows permuted ──┘ └ group 1 ...
//
// A Stream is for one goroutine; it reads ahead in another until it is closed.
type Stream struct {
	shards  []shardWindows
	windows int
	length  int
	seed    uint64
	cursor  Cursor
	cache   *cache
	order   order // of the epoch that was asked for last
	group   int   // read last by Next; -1: none
}

// shardWindows is a shard that has windows.
type shardWindows struct {
	info    ShardInfo
	windows int
	bytes   int64 // of its tokens in memory
}

// order is the order of the windows of an epoch: the shards as permuted, and
// how many windows are before each group.
type order struct {
	epoch  int
	shards []int
	before []int // of group g; one more than groups
}

// Stream opens the windows of a split. Shards with fewer tokens than a window
// have none; if there is no window at all, the error is [safeio.ErrNotFound].
func (d *Dataset) Stream(o StreamOptions) (*Stream, error) {
	if o.Split == "" {
		o.Split = TrainSplit
	}
	if o.Length < 1 {
		return nil, fmt.Errorf("stream %q: windows of %d tokens", d.dir, o.Length)
	}
	s := &Stream{length: o.Length, seed: o.Seed, cursor: Cursor{Seed: o.Seed}, group: -1, order: order{epoch: -1}}
	width := int64(2)
	if wide(d.manifest.Plan.Tokenizer.Size) {
		width = 4
	}
	for _, info := range d.shards(o.Split) {
		if n := int(d.manifest.circle(info) / int64(o.Length)); n > 0 {
			s.shards = append(s.shards, shardWindows{info, n, d.manifest.circle(info) * width})
			s.windows += n
		}
	}
	if s.windows == 0 {
		t := d.manifest.Totals(o.Split)
		return nil, fmt.Errorf("stream %q: %w: the %s split has %d documents of %d tokens in %d shards, no window of %d tokens", d.dir, safeio.ErrNotFound, o.Split, t.Documents, t.Tokens, t.Shards, o.Length)
	}
	s.cache = newCache(2*groupSize, func(i int) (tokens, error) { return d.load(s.shards[i].info) })
	return s, nil
}

// circle is the number of tokens of a shard with the EOS after each document.
func (m *Manifest) circle(s ShardInfo) int64 {
	if m.Plan.Tokenizer.EOS < 0 {
		return s.Tokens
	}
	return s.Tokens + s.Documents
}

// Windows is the number of windows an epoch.
func (s *Stream) Windows() int { return s.windows }

// Bytes is the memory that it takes at most: the tokens of two groups of shards,
// and two files, since it may wait for one while another is read ahead.
func (s *Stream) Bytes() int64 {
	var tokens, files []int64
	for _, w := range s.shards {
		tokens, files = append(tokens, w.bytes), append(files, w.info.Bytes)
	}
	return largest(2*groupSize, tokens) + largest(2, files)
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
// on the data set, the seed, the epoch and i alone, and does not move the
// cursor.
func (s *Stream) Window(dst []int32, epoch, i int) error {
	if len(dst) != s.length || epoch < 0 || i < 0 || i >= s.windows {
		return fmt.Errorf("read window %d of epoch %d into %d tokens: the stream has %d windows of %d", i, epoch, len(dst), s.windows, s.length)
	}
	o := s.orderOf(epoch)
	shard, j := s.locate(o, i)
	t, err := s.cache.get(shard)
	if err != nil {
		return err
	}
	n := t.len()
	phase := rng.New(s.seed, "phase", uint64(epoch), uint64(shard))
	t.copy(dst, (phase.IntN(n)+j*s.length)%n)
	return nil
}

// orderOf computes the order of an epoch, once for all its windows.
func (s *Stream) orderOf(epoch int) order {
	if s.order.epoch == epoch {
		return s.order
	}
	n := len(s.shards)
	o := order{epoch: epoch, shards: make([]int, n), before: []int{0}}
	for i := range n {
		o.shards[i] = int(rng.Permute(s.seed, "shards", uint64(epoch), uint64(n), uint64(i)))
	}
	total := 0
	for g := range groups(n) {
		for _, shard := range o.members(g) {
			total += s.shards[shard].windows
		}
		o.before = append(o.before, total)
	}
	s.order = o
	return o
}

func groups(shards int) int { return (shards + groupSize - 1) / groupSize }

// members are the shards of a group.
func (o order) members(group int) []int {
	return o.shards[group*groupSize : min((group+1)*groupSize, len(o.shards))]
}

// groupOf finds the group of window i by bisection.
func (o order) groupOf(i int) int {
	low, high := 0, len(o.before)-1
	for high-low > 1 {
		if mid := (low + high) / 2; o.before[mid] <= i {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// locate finds the shard of window i and its number there.
func (s *Stream) locate(o order, i int) (shard, j int) {
	g := o.groupOf(i)
	n := o.before[g+1] - o.before[g]
	j = int(rng.Permute(s.seed, "windows", uint64(o.epoch)<<32|uint64(g), uint64(n), uint64(i-o.before[g])))
	for _, shard = range o.members(g) {
		if j < s.shards[shard].windows {
			break
		}
		j -= s.shards[shard].windows
	}
	return shard, j
}

// Next copies the window at the cursor to dst and moves the cursor on. There is
// no end: an epoch follows the other.
func (s *Stream) Next(dst []int32) error {
	o := s.orderOf(s.cursor.Epoch)
	if g := o.groupOf(s.cursor.Index); g != s.group {
		s.enter(o, g)
	}
	if err := s.Window(dst, s.cursor.Epoch, s.cursor.Index); err != nil {
		return err
	}
	s.cursor.Index++
	if s.cursor.Index == s.windows {
		s.cursor.Epoch, s.cursor.Index, s.group = s.cursor.Epoch+1, 0, -1
	}
	return nil
}

// enter has the shards of a group loaded, and then those of the one after it.
func (s *Stream) enter(o order, g int) {
	s.group = g
	next := g + 1
	if next == groups(len(s.shards)) {
		o, next = s.orderOf(o.epoch+1), 0
	}
	wanted := append([]int(nil), s.orderOf(s.cursor.Epoch).members(g)...)
	s.cache.prefetch(append(wanted, o.members(next)...))
}

// Cursor is the place of the window that Next gives next.
func (s *Stream) Cursor() Cursor { return s.cursor }

// Seek moves the cursor, at no cost in the distance. A cursor of a stream with
// another seed is refused with [safeio.ErrMismatch].
func (s *Stream) Seek(c Cursor) error {
	if c.Seed != s.seed {
		return fmt.Errorf("continue the stream: %w: the cursor is of seed %d, the stream of %d", safeio.ErrMismatch, c.Seed, s.seed)
	}
	if c.Epoch < 0 || c.Index < 0 || c.Index >= s.windows {
		return fmt.Errorf("continue the stream: %w: window %d of epoch %d; there are %d an epoch", safeio.ErrMismatch, c.Index, c.Epoch, s.windows)
	}
	s.cursor, s.group = c, -1
	return nil
}

// Close stops reading ahead and frees the shards.
func (s *Stream) Close() error {
	s.cache.close()
	return nil
}

// errClosed is the error of a stream that is used after Close.
var errClosed = errors.New("read from a stream that is closed")
