package kernels

//go:generate go run ./asmgen -dir .
