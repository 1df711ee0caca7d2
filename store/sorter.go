package store

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/klauspost/compress/s2"
)

// A sorter orders key-value pairs by key in bounded memory: what does not fit
// its buffer goes to sorted runs on disk. Pairs of equal keys keep the order
// in which they were added.
type sorter struct {
	dir   string // where runs go
	limit int    // bytes of buffer
	buf   []byte // keys and values, back to back
	refs  []pairRef
	runs  []*os.File
	count int
	seen  seenSet // of keys that are added again and again, see addEntries
}

// pairRef locates a pair in sorter.buf.
type pairRef struct{ off, key, val int }

// newSorter returns a sorter that buffers up to limit bytes and writes its
// runs to dir.
func newSorter(dir string, limit int) *sorter {
	return &sorter{dir: dir, limit: limit, seen: seenSet{}}
}

// add copies key and the concatenation of vals.
func (s *sorter) add(key []byte, vals ...[]byte) error {
	size := len(key)
	for _, v := range vals {
		size += len(v)
	}
	if len(s.refs) > 0 && len(s.buf)+size+24*len(s.refs) > s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.refs = append(s.refs, pairRef{len(s.buf), len(key), size - len(key)})
	s.buf = append(s.buf, key...)
	for _, v := range vals {
		s.buf = append(s.buf, v...)
	}
	s.count++
	return nil
}

func (s *sorter) pair(r pairRef) (key, val []byte) {
	return s.buf[r.off : r.off+r.key : r.off+r.key], s.buf[r.off+r.key : r.off+r.key+r.val]
}

func (s *sorter) sortBuffer() {
	slices.SortStableFunc(s.refs, func(a, b pairRef) int {
		return bytes.Compare(s.buf[a.off:a.off+a.key], s.buf[b.off:b.off+b.key])
	})
}

// spill writes the buffer as one sorted run.
func (s *sorter) spill() error {
	if len(s.refs) == 0 {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "sort-*.run")
	if err != nil {
		return err
	}
	// Unlinked at once: a killed process leaves no runs behind.
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return err
	}
	s.runs = append(s.runs, f)
	s.sortBuffer()
	w := s2.NewWriter(f, s2.WriterConcurrency(1), s2.WriterBlockSize(256<<10))
	var head [2 * binary.MaxVarintLen64]byte
	for _, r := range s.refs {
		n := binary.PutUvarint(head[:], uint64(r.key))
		n += binary.PutUvarint(head[n:], uint64(r.val))
		if _, err := w.Write(head[:n]); err != nil {
			return fmt.Errorf("sort run: %w", err)
		}
		if _, err := w.Write(s.buf[r.off : r.off+r.key+r.val]); err != nil {
			return fmt.Errorf("sort run: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("sort run: %w", err)
	}
	s.buf, s.refs = s.buf[:0], s.refs[:0]
	return nil
}

// rest writes what is buffered to disk and frees the buffer, for a sorter
// that is full but read later.
func (s *sorter) rest() error {
	if len(s.runs) == 0 && len(s.buf) < 1<<20 {
		return nil
	}
	err := s.spill()
	s.buf, s.refs = nil, nil
	return err
}

// reset empties the sorter and keeps its buffer.
func (s *sorter) reset() error {
	var errs []error
	for _, f := range s.runs {
		errs = append(errs, f.Close())
	}
	s.runs, s.buf, s.refs, s.count = nil, s.buf[:0], s.refs[:0], 0
	return errors.Join(errs...)
}

func (s *sorter) close() error {
	err := s.reset()
	s.buf, s.refs = nil, nil
	return err
}

// pairs are sorted pairs; key and value are good until the next step.
type pairs = iter.Seq2[[]byte, []byte]

// sorted yields all pairs in order. It may be called once; after it, *errp
// holds what went wrong.
func (s *sorter) sorted(errp *error) pairs { return mergeSorters(errp, s) }

// mergeSorters yields the pairs of several sorters as one sorted sequence.
// Pairs of equal keys come in the order of the sorters, then as added.
func mergeSorters(errp *error, sorters ...*sorter) pairs {
	return func(yield func(k, v []byte) bool) {
		var h runHeap
		for _, s := range sorters {
			for _, f := range s.runs {
				if _, err := f.Seek(0, io.SeekStart); err != nil {
					*errp = err
					return
				}
				r := s2.NewReader(f, s2.ReaderMaxBlockSize(256<<10))
				h = append(h, &run{order: len(h), next: runReader(bufio.NewReaderSize(r, 64<<10))})
			}
			s.sortBuffer()
			h = append(h, &run{order: len(h), next: s.bufferReader()})
		}
		*errp = h.drain(yield)
	}
}

// bufferReader reads the sorted buffer pair by pair.
func (s *sorter) bufferReader() func(*run) error {
	i := 0
	return func(r *run) error {
		if i == len(s.refs) {
			return io.EOF
		}
		r.key, r.val = s.pair(s.refs[i])
		i++
		return nil
	}
}

// runReader reads a run on disk pair by pair.
func runReader(br *bufio.Reader) func(*run) error {
	var buf []byte
	return func(r *run) error {
		k, err := binary.ReadUvarint(br)
		if err != nil {
			return err // io.EOF at the run's end
		}
		v, err := binary.ReadUvarint(br)
		if err != nil {
			return fmt.Errorf("sort run: %w", err)
		}
		buf = slices.Grow(buf[:0], int(k+v))[:k+v]
		if _, err := io.ReadFull(br, buf); err != nil {
			return fmt.Errorf("sort run: %w", err)
		}
		r.key, r.val = buf[:k:k], buf[k:]
		return nil
	}
}

// A run is one sorted input of a merge.
type run struct {
	key, val []byte
	order    int
	next     func(*run) error // io.EOF at the end
}

type runHeap []*run

func (h runHeap) Len() int      { return len(h) }
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h runHeap) Less(i, j int) bool {
	if c := bytes.Compare(h[i].key, h[j].key); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}
func (h *runHeap) Push(x any) { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// drain yields the pairs of all runs in order.
func (h runHeap) drain(yield func(k, v []byte) bool) error {
	live := h[:0]
	for _, r := range h {
		switch err := r.next(r); err {
		case nil:
			live = append(live, r)
		case io.EOF:
		default:
			return err
		}
	}
	h = live
	heap.Init(&h)
	for len(h) > 0 {
		r := h[0]
		if !yield(r.key, r.val) {
			return nil
		}
		switch err := r.next(r); err {
		case nil:
			heap.Fix(&h, 0)
		case io.EOF:
			heap.Pop(&h)
		default:
			return err
		}
	}
	return nil
}
