package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestOCITarget is what the names and the environment say of a registry.
func TestOCITarget(t *testing.T) {
	for target, want := range map[string]string{
		"oci://registry.example.org/team/advdb":      "oci://registry.example.org/team/advdb:latest https",
		"oci://registry.example.org:5000/advdb:main": "oci://registry.example.org:5000/advdb:main https",
		"oci://localhost:5000/advdb":                 "oci://localhost:5000/advdb:latest http",
		"oci://127.0.0.1:5000/advdb":                 "oci://127.0.0.1:5000/advdb:latest http",
		"oci://localhost.example.org/advdb":          "oci://localhost.example.org/advdb:latest https",
	} {
		r, err := Carriers{}.OpenReader(target)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		scheme := "https"
		if r.(*OCI).repo.PlainHTTP {
			scheme = "http"
		}
		if got := fmt.Sprint(r, " ", scheme); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

// TestOCIArtifact looks at what a registry is given: an artifact of the OCI
// image specification 1.1 whose layers are the files by their own digests.
func TestOCIArtifact(t *testing.T) {
	addr := ociServer(t)
	o := openTestOCI(t, addr, "artifact:main", testPassword)
	name, data := blobOf(100_000)
	create(t, o, name, data)
	if err := o.Swap(t.Context(), timestampName, []byte(`{"a":1}`), nil); err != nil {
		t.Fatal(err)
	}
	raw, desc, err := openTestOCI(t, addr, "artifact:main", testPassword).fetchTag(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var index ocispec.Index
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	if desc.MediaType != ocispec.MediaTypeImageIndex || index.ArtifactType != releaseArtifact || index.Annotations[fileAnnotation+timestampName] != `{"a":1}` || len(index.Manifests) != 1 {
		t.Errorf("index: %s", raw)
	}
	page := &ociPage{desc: index.Manifests[0]}
	if err := o.load(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if e := page.files[0]; len(page.files) != 1 || e.name != name || e.desc.Digest.Encoded() != hashOf(data).String() || e.desc.Size != int64(len(data)) {
		t.Errorf("files: %+v", e)
	}
	// An image that is no repository of ours is not taken for one.
	empty := openTestOCI(t, addr, "artifact:image", testPassword)
	if err := empty.pushBlob(t.Context(), emptyConfig(), strings.NewReader("{}")); err != nil {
		t.Fatal(err)
	}
	other := &ociPage{files: []*ociEntry{{name: name, desc: page.files[0].desc}}}
	body, err := other.encode()
	if err == nil {
		err = o.repo.Manifests().PushReference(t.Context(), other.desc, bytes.NewReader(body), "image")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := empty.Open(t.Context(), timestampName, 0); !errors.Is(err, ErrManifest) {
		t.Errorf("open of an image: %v", err)
	}
	if err := empty.Write(t.Context(), timestampName, []byte("x")); !errors.Is(err, ErrManifest) {
		t.Errorf("write over an image: %v", err)
	}
}

// TestOCIOverwritten moves the tag between a publisher's look and its end, as
// a registry lets anybody do: who was overwritten is told.
func TestOCIOverwritten(t *testing.T) {
	addr := ociServer(t)
	a, b := openTestOCI(t, addr, "over", testPassword), openTestOCI(t, addr, "over", testPassword)
	unlock, err := a.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Write(t.Context(), "log/tile/0/000.p/1", []byte("a")); err != nil {
		t.Fatal(err)
	}
	lacks(t, b, "log/tile/0/000.p/1") // gathered
	if err := b.Write(t.Context(), checkpointName, []byte("b")); err != nil {
		t.Fatal(err)
	}
	if err := a.Write(t.Context(), checkpointName, []byte("a")); !errors.Is(err, ErrConflict) {
		t.Errorf("write after the tag moved: %v", err)
	}
	if err := a.Write(t.Context(), checkpointName, []byte("a")); !errors.Is(err, ErrConflict) {
		t.Errorf("write after that: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	holds(t, openTestOCI(t, addr, "over", testPassword), checkpointName, []byte("b"))
	lacks(t, openTestOCI(t, addr, "over", testPassword), "log/tile/0/000.p/1")
}

// TestOCIPages compares pages under random changes with a map.
func TestOCIPages(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	o := &OCI{pending: map[string]*ociEntry{}, tip: &ociIndex{inline: map[string][]byte{}}}
	want := map[string]int64{}
	for step := range 300 {
		for range 1 + rnd.IntN(40) {
			name := fmt.Sprintf("blob/%02x/%d", rnd.IntN(256), rnd.IntN(4))
			if rnd.IntN(100) < 40+step/10 && len(want) > 0 {
				delete(want, name)
				o.pending[name] = nil
				continue
			}
			want[name] = rnd.Int64N(1000)
			o.pending[name] = &ociEntry{name: name, desc: ocispec.Descriptor{Size: want[name]}}
		}
		next, dirty, err := o.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range dirty {
			if len(p.files) == 0 || len(p.files) > pageFiles || !slices.Contains(next.pages, p) {
				t.Fatalf("step %d: page %q of %d files", step, p.first, len(p.files))
			}
		}
		o.tip = next
		clear(o.pending)
		names, err := o.names(t.Context(), "")
		if err != nil || !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("step %d: %d names, want %d (%v)", step, len(names), len(want), err)
		}
		for name, size := range want {
			if e, err := o.find(t.Context(), name); err != nil || e.desc.Size != size {
				t.Fatalf("step %d: %s: %v, %v", step, name, e, err)
			}
		}
		if _, err := o.find(t.Context(), "blob/00/none"); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	}
}

// FuzzOCIIndex reads what a registry may say: an error, or names in order that
// a repository may have.
func FuzzOCIIndex(f *testing.F) {
	x := &ociIndex{inline: map[string][]byte{timestampName: []byte("{}")}}
	p := &ociPage{files: []*ociEntry{{name: "blob/00/00", desc: emptyConfig()}}}
	page, err := p.encode()
	if err != nil {
		f.Fatal(err)
	}
	x.pages = []*ociPage{p}
	index, err := x.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(index)
	f.Add(page)
	f.Add([]byte(`{"mediaType":"application/vnd.oci.image.index.v1+json","artifactType":"application/vnd.advdb.release.v1","manifests":[{},{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := decodeIndex(data); err == nil {
			if !slices.IsSortedFunc(x.pages, func(a, b *ociPage) int { return strings.Compare(a.first, b.first) }) {
				t.Error("pages out of order")
			}
			for name := range x.inline {
				if !mutable(name) {
					t.Errorf("%s is in the index", name)
				}
			}
		}
		files, err := decodePage(data)
		if err != nil {
			return
		}
		for i, e := range files {
			if checkName(e.name) != nil || i > 0 && files[i-1].name >= e.name || e.desc.Size < 0 {
				t.Errorf("file %d: %q of %d bytes", i, e.name, e.desc.Size)
			}
		}
	})
}
