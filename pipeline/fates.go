package pipeline

// fate is what becomes of a document when duplicates are left out.
type fate byte

const (
	keep   fate = iota
	exact       // an earlier document has the same text
	nearby      // an earlier document is nearly the same
)

// fates are those of the documents 0, 1, 2... of a section or of the corpus, two
// bits each.
type fates []byte

func newFates(n uint64) fates { return make(fates, (n+3)/4) }

func (f fates) get(i uint64) fate { return fate(f[i/4] >> (i % 4 * 2) & 3) }

func (f fates) set(i uint64, to fate) {
	at := i % 4 * 2
	f[i/4] = f[i/4]&^(3<<at) | byte(to)<<at
}
