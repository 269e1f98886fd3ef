package pipeline

// segment is the documents of a source that begin in bytes [from, to).
type segment struct {
	source   *source
	from, to int64
}

// unit is what becomes one shard file a split.
type unit struct {
	index    int
	segments []segment
}

// size is how much text the unit covers, in bytes of the sources.
func (u unit) size() (n int64) {
	for _, s := range u.segments {
		n += s.to - s.from
	}
	return n
}

// countUnits is one more than the index of the last unit.
func countUnits(tasks [][]unit) int {
	last := tasks[len(tasks)-1]
	return last[len(last)-1].index + 1
}

// cut divides the sources, in their order, into units of about size bytes, and
// the units into tasks. Small sources share a unit; a large one is divided
// evenly. The units of one task are done in order by one worker: those of a
// source that can only be read from its beginning.
func cut(sources []*source, size int64) (tasks [][]unit) {
	var (
		index  int
		small  []segment
		filled int64
	)
	next := func(segments ...segment) unit {
		u := unit{index: index, segments: segments}
		index++
		return u
	}
	flush := func() {
		if len(small) > 0 {
			tasks = append(tasks, []unit{next(small...)})
		}
		small, filled = nil, 0
	}
	for _, s := range sources {
		if s.size < size {
			if filled+s.size > size {
				flush()
			}
			small, filled = append(small, segment{s, 0, s.size}), filled+s.size
			continue
		}
		flush()
		n := (s.size + size - 1) / size
		var units []unit
		for k := range n {
			units = append(units, next(segment{s, k * (s.size / n), (k + 1) * (s.size / n)}))
		}
		units[n-1].segments[0].to = s.size
		if s.serial {
			tasks = append(tasks, units)
			continue
		}
		for i := range units {
			tasks = append(tasks, units[i:i+1])
		}
	}
	flush()
	return tasks
}
