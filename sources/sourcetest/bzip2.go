package sourcetest

import (
	"bytes"
	"math/bits"
	"slices"
)

// maxBzip2 is how many bytes one block takes here.
const maxBzip2 = 800_000

// bzip2Compress returns data as one bzip2 stream: correct, and no smaller
// than its fixed-length codes make it. Go has no such writer.
//
// Source: the format as described in "BZIP2: Format Specification" by Joe
// Tsai, 2016; compress/bzip2 reads it.
func bzip2Compress(data []byte) []byte {
	w := &bitWriter{}
	w.bytes([]byte("BZh9"))
	var total uint32
	for block := range slices.Chunk(data, maxBzip2) {
		crc := bzip2CRC(block)
		total = bits.RotateLeft32(total, 1) ^ crc
		w.block(bzip2Runs(block), crc)
	}
	w.bits(0x177245385090, 48)
	w.bits(uint64(total), 32)
	return w.flush()
}

func bzip2CRC(data []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range data {
		crc ^= uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return ^crc
}

// bzip2Runs writes 4 to 259 equal bytes as 4 and a count.
func bzip2Runs(data []byte) []byte {
	var out []byte
	for len(data) > 0 {
		n := 1
		for n < len(data) && n < 259 && data[n] == data[0] {
			n++
		}
		out = append(out, bytes.Repeat(data[:1], min(n, 4))...)
		if n >= 4 {
			out = append(out, byte(n-4))
		}
		data = data[n:]
	}
	return out
}

// rotate returns the Burrows-Wheeler transform of data and the row in which
// data itself is.
func rotate(data []byte) (last []byte, row int) {
	rows := make([]int, len(data))
	for i := range rows {
		rows[i] = i
	}
	twice := append(slices.Clone(data), data...)
	slices.SortFunc(rows, func(a, b int) int {
		return bytes.Compare(twice[a:a+len(data)], twice[b:b+len(data)])
	})
	last = make([]byte, len(data))
	for i, r := range rows {
		last[i] = twice[r+len(data)-1]
		if r == 0 {
			row = i
		}
	}
	return last, row
}

func (w *bitWriter) block(data []byte, crc uint32) {
	last, row := rotate(data)
	used := slices.Compact(slices.Sorted(slices.Values(last)))
	w.bits(0x314159265359, 48)
	w.bits(uint64(crc), 32)
	w.bits(0, 1)
	w.bits(uint64(row), 24)
	w.usedBytes(used)

	symbols := moveToFront(last, used)
	size := len(used) + 2
	w.bits(2, 3) // tables, both the same
	selectors := (len(symbols) + 49) / 50
	w.bits(uint64(selectors), 15)
	for range selectors {
		w.bits(0, 1)
	}
	short, length := codeLengths(size)
	for range 2 {
		w.lengths(size, short, length)
	}
	for _, s := range symbols {
		if s < short {
			w.bits(uint64(s), length-1)
		} else {
			w.bits(uint64(s+short), length)
		}
	}
}

// codeLengths returns a complete code for size symbols: the first short ones
// have length-1 bits, the others length.
func codeLengths(size int) (short, length int) {
	length = bits.Len(uint(size - 1))
	return 1<<length - size, length
}

func (w *bitWriter) lengths(size, short, length int) {
	at := length
	if short > 0 {
		at--
	}
	w.bits(uint64(at), 5)
	for s := range size {
		if s >= short && at < length {
			w.bits(0b10, 2)
			at++
		}
		w.bits(0, 1)
	}
}

func (w *bitWriter) usedBytes(used []byte) {
	var groups uint64
	for _, b := range used {
		groups |= 1 << (15 - b>>4)
	}
	w.bits(groups, 16)
	for g := range 16 {
		var in uint64
		for _, b := range used {
			if int(b>>4) == g {
				in |= 1 << (15 - b&15)
			}
		}
		if in != 0 {
			w.bits(in, 16)
		}
	}
}

// moveToFront returns the symbols of a block: runs of the front byte as
// bijective base 2 numbers (0 and 1), others as their place plus 1, and the
// end of the block.
func moveToFront(data, used []byte) []int {
	front := slices.Clone(used)
	var symbols []int
	run := 0
	flush := func() {
		for n := run; n > 0; n = (n - 1) / 2 {
			symbols = append(symbols, (n-1)&1)
		}
		run = 0
	}
	for _, b := range data {
		i := bytes.IndexByte(front, b)
		if i == 0 {
			run++
			continue
		}
		flush()
		symbols = append(symbols, i+1)
		copy(front[1:i+1], front[:i])
		front[0] = b
	}
	flush()
	return append(symbols, len(used)+1)
}

// bitWriter writes bits, the most significant first.
type bitWriter struct {
	out  []byte
	left int // free bits in the last byte
}

func (w *bitWriter) bits(v uint64, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.left == 0 {
			w.out = append(w.out, 0)
			w.left = 8
		}
		w.left--
		w.out[len(w.out)-1] |= byte(v>>i&1) << w.left
	}
}

func (w *bitWriter) bytes(p []byte) {
	for _, b := range p {
		w.bits(uint64(b), 8)
	}
}

func (w *bitWriter) flush() []byte { return w.out }
