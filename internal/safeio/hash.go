package safeio

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
)

// HashFile returns the SHA-256 of a file in lower-case hexadecimal and its
// size in bytes. An absent file is ErrNotFound; what is not a regular file
// (a pipe would block for ever) is refused.
func HashFile(path string) (sha256hex string, size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, wrap("hash", path, err)
	}
	if !info.Mode().IsRegular() {
		return "", 0, wrap("hash", path, errors.New("not a regular file"))
	}
	file, err := os.Open(path)
	if err != nil {
		return "", 0, wrap("hash", path, err)
	}
	defer file.Close()
	sum := sha256.New()
	size, err = io.Copy(sum, file)
	if err != nil {
		return "", 0, wrap("hash", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), size, nil
}
