//go:build !amd64

package kernels

func (s isa) supported() bool { return s == generic }

func pause() {}

const spinRounds = 1 << 16
