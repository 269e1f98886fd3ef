package pipeline

import (
	"slices"

	"github.com/seed-4c77ef92/textwarp/internal/rng"
)

// groupSize is the number of shards whose windows are mixed: what a stream
// holds in memory, once for the windows it gives and once for the next ones.
const groupSize = 4

// order is the order of the windows of an epoch: the shards one behind the
// other, and how many windows are before each group of them.
//
//	epoch e:   shard 7  shard 2  shard 9  shard 4 │ shard 1 ...    shards permuted
//	           └───── group 0: windows permuted ──┘ └ group 1 ...
//
// It says nothing of readers: these share it out, see [Stream].
type order struct {
	epoch  int
	shards []int
	before []int // of group g; one more than groups
}

// newOrder permutes the shards of an epoch, or, if inLine, takes them as they
// come.
func newOrder(shards []shardWindows, seed uint64, epoch int, inLine bool) order {
	n := len(shards)
	o := order{epoch: epoch, shards: make([]int, n), before: []int{0}}
	for i := range n {
		o.shards[i] = i
		if !inLine {
			o.shards[i] = int(rng.Permute(seed, "shards", uint64(epoch), uint64(n), uint64(i)))
		}
	}
	total := 0
	for group := range slices.Chunk(o.shards, groupSize) {
		for _, shard := range group {
			total += shards[shard].windows
		}
		o.before = append(o.before, total)
	}
	return o
}

func (o order) groups() int { return len(o.before) - 1 }

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
func (o order) locate(shards []shardWindows, seed uint64, i int) (shard, j int) {
	g := o.groupOf(i)
	n := o.before[g+1] - o.before[g]
	j = int(rng.Permute(seed, "windows", uint64(o.epoch)<<32|uint64(g), uint64(n), uint64(i-o.before[g])))
	for _, shard = range o.members(g) {
		if j < shards[shard].windows {
			break
		}
		j -= shards[shard].windows
	}
	return shard, j
}
