package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord frames data as a TFRecord: its length as 8 bytes, little-endian,
// and their CRC; data and its CRC.
func appendRecord(b, data []byte) []byte {
	length := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b[length:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// masked is the CRC32C of data, rotated and moved so that the CRC of a string
// that holds CRCs is as good as any (TensorFlow, core/lib/hash/crc32c.h).
func masked(data []byte) uint32 {
	const delta = 0xa282ead8
	return bits.RotateLeft32(crc32.Checksum(data, castagnoli), -15) + delta
}
