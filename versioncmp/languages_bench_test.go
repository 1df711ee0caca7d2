package versioncmp

import "testing"

// benchVersions are two versions that differ late, as those of one package do.
var benchVersions = []struct {
	scheme *Scheme
	a, b   string
}{
	{pypiScheme, "2.28.1.post1", "2.28.2rc1+cu118"},
	{rubyGemsScheme, "7.0.4.1", "7.0.4.rc2"},
	{mavenScheme, "5.3.26.Final", "5.3.27-SNAPSHOT"},
	{packagistScheme, "v6.4.12-RC2", "v6.4.12"},
	{freeBSDScheme, "9.18.24_1,1", "9.18.25,1"},
	{gentooScheme, "3.0.12_p1-r2", "3.0.12_rc3"},
	{conanScheme, "1.1.1w", "1.1.1-rc.2+b3"},
	{archScheme, "1:3.0.8.r12-1", "1:3.0.8.r13-1"},
	{cpanScheme, "1.002_003", "v1.2.4"},
	{rootSchemes["debian"], "22.12.0-2+deb12u1.root.io.5", "22.12.0-2.root.io.1"},
}

func BenchmarkLanguageParse(b *testing.B) {
	for _, v := range benchVersions {
		b.Run(v.scheme.Name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(v.a) + len(v.b)))
			for b.Loop() {
				if _, err := v.scheme.Parse(v.a); err != nil {
					b.Fatal(err)
				}
				if _, err := v.scheme.Parse(v.b); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLanguageKey(b *testing.B) {
	for _, v := range benchVersions {
		b.Run(v.scheme.Name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(v.a)))
			buf := make([]byte, 0, 128)
			for b.Loop() {
				var err error
				if buf, err = v.scheme.AppendKey(buf[:0], v.a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLanguageCompare(b *testing.B) {
	for _, v := range benchVersions {
		x, errX := v.scheme.Parse(v.a)
		y, errY := v.scheme.Parse(v.b)
		if errX != nil || errY != nil {
			b.Fatal(errX, errY)
		}
		b.Run(v.scheme.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if x.Compare(y) == 0 {
					b.Fatal("the two are equal")
				}
			}
		})
	}
}
