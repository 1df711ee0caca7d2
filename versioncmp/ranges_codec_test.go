package versioncmp

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestDecodeSetRefusesWhatIsNotASet(t *testing.T) {
	whole := Compile(dotted, [][]Event{events("i 1.2, f 1.4, i 2.0, l 2.5"), events("i 3, f x")},
		[]string{"9.0", "odd"}).AppendBinary(nil)
	for n := range whole {
		if _, err := DecodeSet(dotted, whole[:n]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("first %d bytes: %v, want ErrCorrupt", n, err)
		}
	}
	for _, b := range [][]byte{append(slices.Clone(whole), 0), {0x20, 0}, {0x18, 0}, {0x10, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0x10, 1, 0x10, 0, 0, 0, 0}, {0x10, 1, 0x0d, 0, 0}} {
		if _, err := DecodeSet(dotted, b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("% x: %v, want ErrCorrupt", b, err)
		}
	}
	if _, err := DecodeSet(nil, whole); !errors.Is(err, ErrCorrupt) {
		t.Errorf("keys without a scheme: %v, want ErrCorrupt", err)
	}
	if set, err := DecodeSet(dotted, (&Set{}).AppendBinary(nil)); err != nil || !set.Empty() {
		t.Errorf("the zero Set does not survive: %v", err)
	}
}

func FuzzCompileAffected(f *testing.F) {
	for _, seed := range []string{"i 0,f 1.0,i 1.0,l 2.0", "i 2,f x,i 1", "f 1,m 2,i 0", "i 1,m *,l 1"} {
		f.Add(seed, "1.0,odd", "1.0")
	}
	f.Fuzz(func(t *testing.T, text, listed, version string) {
		list := events(text)
		versions := strings.Split(listed, ",")
		set := Compile(dotted, [][]Event{list}, versions)
		answer := set.AffectedText(version)
		if slices.Contains(versions, version) && answer.Verdict != Affected {
			t.Errorf("%q is listed and %v", version, answer)
		}
		Compile(nil, [][]Event{list}, versions).AffectedText(version)
		slow := Compile(wavering, [][]Event{list}, versions).AffectedText(version)
		if slow.Verdict != answer.Verdict {
			t.Errorf("exact %v, coarse %v", answer, slow)
		}
		decoded, err := DecodeSet(dotted, set.AppendBinary(nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := decoded.AffectedText(version); got != answer {
			t.Errorf("decoded %v, compiled %v", got, answer)
		}
	})
}

func FuzzDecodeSet(f *testing.F) {
	f.Add(Compile(dotted, [][]Event{events("i 1.2, f 1.4, i 2.0, l 2.5"), events("i 3, f x")}, []string{"9.0", "odd"}).AppendBinary(nil), "1.3")
	f.Add(Compile(nil, [][]Event{events("i 0"), events("i 1")}, []string{"a"}).AppendBinary(nil), "a")
	f.Fuzz(func(t *testing.T, b []byte, version string) {
		for _, s := range []*Scheme{dotted, wavering, nil} {
			set, err := DecodeSet(s, b)
			if err != nil {
				continue
			}
			set.AffectedText(version)
			set.Unparsed()
			if got := set.AppendBinary(nil); !slices.Equal(got, b) {
				t.Errorf("% x became % x", b, got)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	ranges := [][]Event{events("i 0, f 1.2.3, i 2.0.0, f 2.4.1"), events("i 3.0.0, l 3.5.2")}
	b.ReportAllocs()
	for b.Loop() {
		Compile(dotted, ranges, []string{"1.0.0", "1.1.0", "4.0.0"})
	}
}

func BenchmarkVerdict(b *testing.B) {
	set := Compile(dotted, [][]Event{events("i 0, f 1.2.3")}, nil)
	long := Compile(dotted, [][]Event{events("i 0, f 1.2.3, i 2.0.0, f 2.4.1, i 3.0.0, f 3.5.2, i 4.0, f 4.5, i 5.0, l 5.5")}, nil)
	v, err := dotted.Parse("9.1.4")
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		set  *Set
	}{{"1-interval", set}, {"5-intervals", long}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if bench.set.Verdict(v) != NotAffected {
					b.Fatal("affected")
				}
			}
		})
	}
}

func BenchmarkDecodeSet(b *testing.B) {
	enc := Compile(dotted, [][]Event{events("i 0, f 1.2.3, i 2.0.0, f 2.4.1")}, nil).AppendBinary(nil)
	b.SetBytes(int64(len(enc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeSet(dotted, enc); err != nil {
			b.Fatal(err)
		}
	}
}

func TestVerdictDoesNotAllocate(t *testing.T) {
	set := Compile(dotted, [][]Event{events("i 0, f 1.2.3, i 2.0.0, f 2.4.1")}, []string{"3.0"})
	v := mustParse(t, dotted, "9.1.4")
	if n := testing.AllocsPerRun(100, func() { set.Verdict(v) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
