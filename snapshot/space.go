package snapshot

import (
	"errors"
	"fmt"
	"syscall"
)

const (
	// stateShare is how much of the bytes of records and rows the file of a
	// state takes, with what is sorted beside it while it is written, in
	// percent. Measured on 300,000 and 600,000 real records: 37 and 39, and up
	// to 6 to sort.
	stateShare = 50
	// spaceSlack is for what is small: empty tables, metadata, the log.
	spaceSlack = 1 << 20
	// baseShareOfState is the size of a base in percent of that of the state's
	// file. Measured: 25; twice as much while it is written.
	baseShareOfState = 30
)

// A disk says how many bytes are free on the file system of a folder; false
// where it does not know.
type disk func(dir string) (free int64, known bool)

// check returns ErrSpace where less than need bytes are free. A nil disk asks
// the system.
func (d disk) check(dir string, need int64) error {
	if d == nil {
		d = freeSpace
	}
	if free, known := d(dir); known && free < need {
		return fmt.Errorf("%s: %d bytes are needed, %d are free: %w", dir, need, free, ErrSpace)
	}
	return nil
}

// isFull reports whether an error is of this machine's disk: no other mirror
// helps against it.
func isFull(err error) bool {
	return errors.Is(err, ErrSpace) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// room checks that there is room for the segments of a way that are not there
// yet and for the state that they lead to: before the first byte is fetched,
// by what the manifest says. Of a selection the indexes say more.
func (p *pulling) room(f *partFetcher, way cover) error {
	if f.sel != nil {
		return nil
	}
	need := p.stateNeeds(way, way.usize())
	for _, s := range way.segments {
		need += s.Size - f.staged(s.Blob)
	}
	return p.disk.check(p.Dir, need)
}

// stateNeeds is about how much the state takes that a way leads to, of which
// usize bytes are wanted. What is held stays beside it.
func (p *pulling) stateNeeds(way cover, usize int64) int64 {
	if way.base || p.db == nil {
		return usize*stateShare/100 + spaceSlack
	}
	return p.db.Size() + usize + spaceSlack
}

// usize is how much the segments of a way hold.
func (c cover) usize() (n int64) {
	for _, s := range c.segments {
		n += s.USize
	}
	return n
}

// wantedSize is how much segments hold of a selection, decompressed.
func wantedSize(segs []*segmentReader, sel selection) (n int64) {
	for _, s := range segs {
		for _, b := range s.wanted(sel) {
			n += int64(b.usize)
		}
	}
	return n
}

// roomForBase checks that a base of the state can be written: into a file for
// each collection, and from there into one.
func (p *publisher) roomForBase() error {
	return p.disk.check(p.temp, 2*p.DB.Size()*baseShareOfState/100+spaceSlack)
}

// roomForBlobs checks that a folder has room for what is going to be written
// into it.
func (p *publisher) roomForBlobs() error {
	d, ok := p.Repo.(*Dir)
	if !ok {
		return nil
	}
	need := int64(spaceSlack)
	for _, b := range p.blobs {
		if _, err := d.root.Stat(b.blob.name()); err != nil {
			need += b.blob.Size
		}
	}
	return p.disk.check(d.path, need)
}
