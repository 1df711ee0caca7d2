package sourcetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A member is one file of an archive.
type member struct {
	name string
	data []byte
}

// pack returns the archive of that name. Those of GitHub and GitLab begin
// with the header by which git archive says of which commit they are.
func pack(name string, members []member) ([]byte, error) {
	if path.Ext(name) == ".zip" {
		return packZip(members)
	}
	var commit string
	if strings.HasPrefix(name, "github.com/") || strings.HasPrefix(name, "gitlab.com/") {
		h := sha1.New()
		for _, m := range members {
			_, _ = io.WriteString(h, m.name)
			_, _ = h.Write(m.data)
		}
		commit = hex.EncodeToString(h.Sum(nil))
	}
	data, err := packTar(members, commit)
	if err != nil {
		return nil, err
	}
	return compress(strings.Replace(path.Ext(name), ".tgz", ".gz", 1), data)
}

func packZip(members []member) ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: dayOne})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buf.Bytes(), err
}

func packTar(members []member, commit string) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if commit != "" {
		h := &tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": commit}}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
	}
	for _, m := range members {
		h := &tar.Header{Name: m.name, Size: int64(len(m.data)), Mode: 0o644, ModTime: dayOne}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(m.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buf.Bytes(), err
}

// compress compresses data as the extension says, the same way each time.
func compress(ext string, data []byte) ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser
	switch ext {
	case ".gz":
		w = gzip.NewWriter(&buf)
	case ".zst":
		z, err := zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		w = z
	case ".bz2":
		return bzip2Compress(data), nil
	default:
		return data, nil
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err := w.Close()
	return buf.Bytes(), err
}
