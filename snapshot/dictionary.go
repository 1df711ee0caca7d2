package snapshot

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// A dictionary is bytes that the blocks of segments may refer to: records of
// the base, so that a delta of a few need not say again what all have.
type dictionary struct {
	data []byte
	hash Hash
	id   uint32
}

// dictionarySize is how many bytes a dictionary has at most: 112 KiB is what
// zstd's own trainer aims at.
const dictionarySize = 112 << 10

// newDictionary returns the dictionary of these bytes. Its ID, which stands
// in each frame, is of its hash; zstd keeps those below 32768 and above 2^31
// for itself.
func newDictionary(data []byte) *dictionary {
	d := &dictionary{data: data, hash: hashOf(data)}
	d.id = 1<<15 + binary.LittleEndian.Uint32(d.hash[:])%(1<<31-1<<15)
	return d
}

// pack returns the dictionary as it is carried, one zstd frame.
func (d *dictionary) pack() ([]byte, Dictionary, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true))
	if err != nil {
		return nil, Dictionary{}, err
	}
	defer enc.Close()
	b := enc.EncodeAll(d.data, nil)
	return b, Dictionary{d.hash, Blob{SHA256: hashOf(b), Size: int64(len(b)), USize: int64(len(d.data))}}, nil
}

// readDictionary reads a dictionary and verifies it.
func readDictionary(ctx context.Context, r Reader, b Dictionary) (*dictionary, error) {
	if b.USize > dictionarySize || b.Size > 2*dictionarySize {
		return nil, fmt.Errorf("dictionary: %w", ErrTooLarge)
	}
	packed, err := readAll(ctx, r, b.name(), b.Size)
	if err != nil {
		return nil, err
	}
	if hashOf(packed) != b.SHA256 {
		return nil, fmt.Errorf("dictionary: %w", ErrMismatch)
	}
	dec, err := newDecoder(dictionarySize, nil)
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	data, err := decodeFrame(dec, packed, uint64(b.USize), nil)
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	d := newDictionary(data)
	if d.hash != b.Content {
		return nil, fmt.Errorf("dictionary: %w", ErrMismatch)
	}
	return d, nil
}

// A sampler collects values for a dictionary: of those it is shown every so
// many, so that each collection has its share, until it is full.
type sampler struct {
	data  []byte
	every uint64
	n     uint64
}

// newSampler expects values of about the given total size.
func newSampler(total int64) *sampler {
	return &sampler{every: uint64(max(1, total/dictionarySize))}
}

func (s *sampler) see(v []byte) {
	s.n++
	if s.n%s.every == 0 && len(v) <= 8<<10 && len(s.data)+len(v) <= dictionarySize {
		s.data = append(s.data, v...)
	}
}
