package kernels

// Block sizes. They fix the order of every sum, so changing one changes results
// in the last bits.
const (
	blockK = 256 // depth of one packed block: a panel of B fills half of a 32 KB L1
	blockM = 192 // most rows of A between two walks over B: 192 KB of a 512 KB L2

	packedSize = 1 << 20 // values of a slab of B (4 MB)

	attnTile = 128 // queries and keys of one attention tile
	attnLD   = attnTile + 16

	// MaxHeadDim is the largest head size that Attention takes.
	MaxHeadDim = 256
)

// scratch is the private memory of a worker, allocated once with the pool.
type scratch struct {
	packed packed    // rows of A, where MatMul packs them
	edgeA  []float32 // the last rows of A, padded with zeros to mr
	edgeC  []float32 // one tile of C on its way into a border

	// attention: two score tiles, packed operands, an output tile
	scores, grads []float32
	packs         [4][]float32
	rowMax        []float32
	rowSum        []float32
}

func newScratch() scratch {
	s := scratch{
		packed: newPacked((blockM + maxMR) * blockK),
		edgeA:  make([]float32, maxMR*blockK),
		edgeC:  make([]float32, maxMR*maxNR),
		scores: make([]float32, attnTile*attnLD),
		grads:  make([]float32, attnTile*attnLD),
		rowMax: make([]float32, attnTile),
		rowSum: make([]float32, attnTile),
	}
	for i := range s.packs {
		s.packs[i] = make([]float32, attnTile*(MaxHeadDim+maxNR))
	}
	return s
}

// tasks holds one reusable body for each kind of call, so that a call's
// arguments never escape to the heap.
type tasks struct {
	user     userJob
	gemm     gemmJob
	gelu     geluJob
	norm     normJob
	normGrad normGradJob
	attn     attnJob
	attnGrad attnGradJob
	cached   cachedJob
	rope     ropeJob
	softmax  softmaxJob
	adamw    adamwJob
	squares  squaresJob
}
