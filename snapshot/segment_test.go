package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/tlog"
)

// makeSegment writes a segment of n rows.
func makeSegment(t testing.TB, n int, dict *dictionary) ([]byte, Segment) {
	t.Helper()
	w, err := newSegmentWriter(3, 7, dict)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for i := range n {
		e := entry{opPut, 4 + uint64(i%4), fmt.Appendf(nil, "CVE-%06d", i), fmt.Appendf(nil, `{"id":"CVE-%06d","text":"%x"}`, i, i*i)}
		if i%7 == 0 {
			e.op, e.value = opDelete, nil
		}
		if err := w.add([]string{"record/", "record/npm"}[i%2], e); err != nil {
			t.Fatal(err)
		}
	}
	w.setTransforms("enrich/epss", []transform{{release: 5, set: []memberValue{{"date", []byte(`"2026-08-01"`)}},
		maps: []memberMap{{name: "percentile", scale: 5, from: []int64{1, 70000}, to: []int64{2, 69998}}}}})
	var buf bytes.Buffer
	s, err := w.finish(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if s.Size != int64(buf.Len()) || s.SHA256 != hashOf(buf.Bytes()) {
		t.Fatalf("segment says %d bytes, %s", s.Size, s.SHA256)
	}
	return buf.Bytes(), s
}

// readSegment reads a segment to its end.
func readSegment(data []byte, s Segment, dict *dictionary) (n int, err error) {
	r, err := openSegment(bytes.NewReader(data), s, dict)
	if err != nil {
		return 0, err
	}
	defer r.close()
	for i := range r.parts {
		c := r.cursor(&r.parts[i])
		for {
			ok, err := c.next()
			if err != nil {
				return n, err
			}
			if !ok {
				break
			}
			n++
		}
	}
	return n, nil
}

func TestSegment(t *testing.T) {
	dict := newDictionary(bytes.Repeat([]byte(`{"id":"CVE-000000","text":"`), 100))
	for _, d := range []*dictionary{nil, dict} {
		data, s := makeSegment(t, 30000, d)
		if n, err := readSegment(data, s, d); n != 30000 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
		again, _ := makeSegment(t, 30000, d)
		if !bytes.Equal(data, again) {
			t.Error("written twice, and not the same")
		}
		r, err := openSegment(bytes.NewReader(data), s, d)
		if err != nil {
			t.Fatal(err)
		}
		got := r.table("enrich/epss").transforms
		if len(got) != 1 || got[0].release != 5 || got[0].maps[0].to[1] != 69998 || string(got[0].set[0].value) != `"2026-08-01"` {
			t.Errorf("transforms %+v", got)
		}
		r.close()
	}
	data, s := makeSegment(t, 100, dict)
	if _, err := readSegment(data, s, nil); err == nil {
		t.Error("read without its dictionary")
	}
}

// TestSegmentTampered changes each byte of a segment: blocks and index are
// refused; header and footer are not read by who has the manifest.
func TestSegmentTampered(t *testing.T) {
	data, s := makeSegment(t, 200, nil)
	for i := 4; i < len(data)-footerSize; i++ {
		bad := bytes.Clone(data)
		bad[i] ^= 0x40
		if _, err := readSegment(bad, s, nil); !errors.Is(err, ErrRefused) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for n := range len(data) - footerSize {
		if _, err := readSegment(data[:n], s, nil); !errors.Is(err, ErrRefused) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

// TestBomb: frames that decompress to more than was signed.
func TestBomb(t *testing.T) {
	enc, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true))
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.EncodeAll(make([]byte, 64<<20), nil)
	two := append(enc.EncodeAll([]byte("x"), nil), bomb...)
	stream, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	skip := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, bomb...)
	dec, err := newDecoder(maxBlock, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	for name, x := range map[string]struct {
		frame []byte
		size  uint64
	}{
		"more than signed":   {bomb, 1000},
		"more than a block":  {bomb, 64 << 20},
		"a second frame":     {two, 1},
		"a skippable frame":  {skip, 1000},
		"no size":            {noSize(t, stream), 1000},
		"an empty frame":     {nil, 0},
		"not zstd":           {[]byte("not zstd at all"), 15},
		"less than was said": {enc.EncodeAll([]byte("abc"), nil), 4},
	} {
		if out, err := decodeFrame(dec, x.frame, x.size, nil); err == nil || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %d bytes, error %v", name, len(out), err)
		}
	}
}

// noSize is a frame that does not say how much it holds.
func noSize(t *testing.T, w *zstd.Encoder) []byte {
	var buf bytes.Buffer
	w.Reset(&buf)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	w.Close()
	return buf.Bytes()
}

// TestMergedSegments compares what merged segments lead to with what their
// children do, from every release in between.
func TestMergedSegments(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	state := map[string]string{}
	states := []map[string]string{{}}
	var segs []*segmentReader
	for v := uint64(1); v <= 8; v++ {
		w, err := newSegmentWriter(v-1, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			key := fmt.Sprintf("K%02d", i)
			switch _, there := state[key]; {
			case rnd.IntN(4) > 0:
			case there && rnd.IntN(3) == 0:
				delete(state, key)
				err = w.add("record/", entry{opDelete, v, []byte(key), nil})
			default:
				state[key] = fmt.Sprintf(`{"id":%q,"modified":"2026-01-0%dT00:00:00Z"}`, key, v)
				op, value := byte(opPut), state[key]
				if there && rnd.IntN(2) == 0 {
					op, value = opTouch, fmt.Sprintf("2026-01-0%dT00:00:00Z", v)
				}
				err = w.add("record/", entry{op, v, []byte(key), []byte(value)})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		segs = append(segs, finishSegment(t, w))
		copied := map[string]string{}
		for k, x := range state {
			copied[k] = x
		}
		states = append(states, copied)
	}
	w, err := newSegmentWriter(0, 8, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := mergeSegments(segs, w); err != nil {
		t.Fatal(err)
	}
	merged := finishSegment(t, w)
	for from := range 8 {
		got := map[string]string{}
		for it, err := range mergeRecords(sortedItems(states[from]), uint64(from), []*segmentReader{merged}, nil) {
			if err != nil {
				t.Fatalf("from %d: %v", from, err)
			}
			got[it.key] = string(it.data)
		}
		if d := cmp.Diff(states[8], got); d != "" {
			t.Errorf("from %d: %s", from, d)
		}
	}
}

func sortedItems(m map[string]string) items {
	return func(yield func(item, error) bool) {
		for _, k := range slices.Sorted(keysOf(m)) {
			if !yield(item{"record/", k, []byte(m[k])}, nil) {
				return
			}
		}
	}
}

func finishSegment(t *testing.T, w *segmentWriter) *segmentReader {
	t.Helper()
	var buf bytes.Buffer
	s, err := w.finish(&buf)
	if err != nil {
		t.Fatal(err)
	}
	r, err := openSegment(bytes.NewReader(buf.Bytes()), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// TestTreeHasher agrees with golang.org/x/mod/sumdb/tlog on roots and paths.
func TestTreeHasher(t *testing.T) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(i []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, x := range i {
			out = append(out, stored[x])
		}
		return out, nil
	})
	h := &treeHasher{}
	var leaves []tlog.Hash
	for n := range int64(130) {
		want, err := tlog.TreeHash(n, reader)
		if err != nil || n > 0 && h.root() != want {
			t.Fatalf("%d leaves: root %v, want %v (%v)", n, h.root(), want, err)
		}
		for i := range n {
			path, err := tlog.ProveRecord(n, i, reader)
			if err != nil || len(path) != len(auditPath(leaves, i)) {
				t.Fatal(n, i, err)
			}
			for k, x := range auditPath(leaves, i) {
				if tlog.Hash(x) != path[k] {
					t.Fatalf("%d leaves: path of %d differs", n, i)
				}
			}
		}
		data := binary.AppendUvarint(nil, uint64(n))
		more, err := tlog.StoredHashes(n, data, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		h.add(tlog.RecordHash(data))
		leaves = append(leaves, tlog.RecordHash(data))
	}
}

func TestDecimal(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "1": "1", "0.1": "0.1", "0.00043": "0.00043", "12.5": "12.5",
		"1e-7": "", "-1": "", "0.10": "", "00": "", "0.": "", ".5": "", `"1"`: "", "null": "", "0.1234567891": "",
	} {
		n := digits([]byte(in))
		got := ""
		if n >= 0 {
			v, ok := parseDecimal([]byte(in), 9)
			if ok {
				got = string(appendDecimal(nil, v, 9))
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"tuf/timestamp.json": true, "blob/ab/abcdef": true, "log/tile/0/x001/067.p/3": true,
		"": false, "tuf": false, "tuf/": false, "tuf/../a": false, "/tuf/a": false, "tuf//a": false, "tuf/.a": false,
		"tuf/a\x00": false, "etc/passwd": false, "tuf/a/": false, `tuf\a`: false,
	} {
		if got := checkName(name) == nil; got != ok {
			t.Errorf("%q: %v, want %v", name, got, ok)
		}
	}
}

func FuzzSegment(f *testing.F) {
	data, s := makeSegment(f, 50, nil)
	f.Add(data[s.Index.Offset : s.Index.Offset+s.Index.Size])
	f.Fuzz(func(t *testing.T, index []byte) {
		// What a signer could have signed: an index of any content.
		r := &segmentReader{info: s}
		r.readIndex(index, nil)
		br := &byteReader{b: index}
		br.transforms(3, 7)
		br = &byteReader{b: index}
		for !br.bad && len(br.b) > 0 {
			if _, err := br.entry(3, 7); err != nil {
				break
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	m := &Manifest{Format: manifestFormat, Origin: "x", Version: 1, Time: "2026-08-01T00:00:00Z", MinClient: 1, StateRoot: topRoot(nil)}
	data, err := canonical(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := decodeManifest(data); err == nil {
			m.plan(0)
		}
	})
}
