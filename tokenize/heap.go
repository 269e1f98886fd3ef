package tokenize

// heap is a binary heap: pop returns the element that is Before all others.
type heap[T interface{ Before(T) bool }] []T

func (h *heap[T]) push(x T) {
	s := append(*h, x)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !s[i].Before(s[parent]) {
			break
		}
		s[i], s[parent] = s[parent], s[i]
		i = parent
	}
	*h = s
}

func (h *heap[T]) pop() T {
	s := *h
	top, n := s[0], len(s)-1
	s[0] = s[n]
	*h = s[:n]
	h.sink(0)
	return top
}

// sink restores the order when element i has moved behind some below it.
func (h *heap[T]) sink(i int) {
	s := *h
	for {
		child := 2*i + 1
		if child >= len(s) {
			return
		}
		if child+1 < len(s) && s[child+1].Before(s[child]) {
			child++
		}
		if !s[child].Before(s[i]) {
			return
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}

// order makes a heap of elements in any order.
func (h *heap[T]) order() {
	for i := len(*h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
}
