package pipeline

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// mapping is a file in the address space, read-only. Its pages are the kernel's
// to drop and to read again.
type mapping []byte

// mapShard checks size and hash of an open shard file and maps it. The file is
// hashed through read, not through the mapping, whose resident pages are then
// only those that hold tokens.
func mapShard(file *os.File, s ShardInfo) (mapping, error) {
	sum := sha256.New()
	n, err := io.CopyBuffer(sum, io.LimitReader(file, s.Bytes+1), make([]byte, readSize))
	if err != nil {
		return nil, fmt.Errorf("read shard %q: %w", s.File, bare(err))
	}
	if err := checkSum(n, sum.Sum(nil), s); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, damaged(s, errors.New("it is empty"))
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, int(n), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map shard %q: %w", s.File, err)
	}
	return data, nil
}

func (m mapping) close() {
	if m != nil {
		syscall.Munmap(m) // fails only for what was not mapped
	}
}
