package normalize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// ErrSQLite says that a document is not a SQLite database that this reader
// can read, or that it is damaged.
var ErrSQLite = errors.New("unreadable SQLite database")

const (
	// maxSQLite bounds a database, which is read whole: its pages stand in no
	// order.
	maxSQLite = 256 << 20
	// maxSQLiteDepth bounds a b-tree; 20 levels hold more than a file can.
	maxSQLiteDepth = 20
	// maxSQLiteRow bounds the content of a row, in bytes.
	maxSQLiteRow = 16 << 20
)

// A sqliteFile is a database in SQLite's file format 3, in UTF-8. Only tables
// with a rowid are read; indexes, and a journal or log beside the file, are
// not.
//
// Source: https://www.sqlite.org/fileformat2.html, sections in brackets below.
type sqliteFile struct {
	data   []byte
	page   int // bytes of a page
	usable int // of those, what b-trees use
}

// readSQLite reads a database and checks its header [1.3].
func readSQLite(r io.Reader) (*sqliteFile, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSQLite+1))
	if err != nil {
		return nil, err
	}
	switch {
	case len(data) == 0:
		return nil, fmt.Errorf("offset 0: %w", ErrEmpty)
	case len(data) > maxSQLite:
		return nil, fmt.Errorf("%w: over %d bytes", ErrSQLite, maxSQLite)
	case len(data) < 100 || string(data[:16]) != "SQLite format 3\x00":
		return nil, fmt.Errorf("offset 0: %w: no header", ErrSQLite)
	}
	f := &sqliteFile{data: data, page: int(binary.BigEndian.Uint16(data[16:]))}
	if f.page == 1 {
		f.page = 65536
	}
	f.usable = f.page - int(data[20])
	pages := int64(binary.BigEndian.Uint32(data[28:]))
	switch encoding := binary.BigEndian.Uint32(data[56:]); {
	case f.page < 512 || f.page&(f.page-1) != 0 || f.usable < 480:
		return nil, fmt.Errorf("offset 16: %w: pages of %d bytes", ErrSQLite, f.page)
	case encoding > 1:
		return nil, fmt.Errorf("offset 56: %w: text in encoding %d", ErrSQLite, encoding)
	case pages*int64(f.page) > int64(len(data)):
		return nil, fmt.Errorf("offset %d: %w: %d pages are to follow", len(data), ErrSQLite, pages-int64(len(data)/f.page))
	}
	return f, nil
}

// A sqliteRow is the values of a row by column; a text for TEXT and BLOB, a
// decimal number for INTEGER, "" for NULL and for columns that were added
// later. REAL is not read.
type sqliteRow []string

// table calls f with the rows of a table, in the order of their rowids, and
// with the names of its columns.
func (f *sqliteFile) table(name string, row func(columns []string, r sqliteRow) error) error {
	root, sql := 0, ""
	err := f.walk(1, 0, new(int), func(r sqliteRow) error { // sqlite_schema [2.6]
		if len(r) >= 5 && r[0] == "table" && strings.EqualFold(r[1], name) {
			if _, err := fmt.Sscan(r[3], &root); err != nil {
				return fmt.Errorf("%w: root page %q", ErrSQLite, r[3])
			}
			sql = r[4]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return fmt.Errorf("%w: no table %s", ErrSQLite, name)
	}
	columns := sqliteColumns(sql)
	return f.walk(root, 0, new(int), func(r sqliteRow) error { return row(columns, r) })
}

// sqliteColumns returns the names of the columns in a CREATE TABLE statement,
// those of constraints among them, which come last.
func sqliteColumns(sql string) (names []string) {
	_, body, _ := strings.Cut(sql, "(")
	depth, start := 0, 0
	add := func(end int) {
		if fields := strings.Fields(body[start:end]); len(fields) > 0 {
			names = append(names, strings.Trim(fields[0], "\"`[]'"))
		}
	}
	for i := range len(body) {
		switch c := body[i]; {
		case c == '(':
			depth++
		case c == ',' && depth == 0:
			add(i)
			start = i + 1
		case c == ')':
			if depth--; depth < 0 {
				add(i)
				return names
			}
		}
	}
	return names
}

// walk calls f with the rows of the table b-tree whose root is a page [1.6].
// seen counts the pages visited: a tree that visits more than there are goes
// in circles.
func (f *sqliteFile) walk(number, depth int, seen *int, row func(sqliteRow) error) error {
	page, err := f.at(number)
	if err != nil {
		return err
	}
	head := 0
	if number == 1 {
		head = 100
	}
	if *seen++; *seen > len(f.data)/f.page || depth > maxSQLiteDepth {
		return fmt.Errorf("page %d: %w: the tree has a circle", number, ErrSQLite)
	}
	kind, cells := page[head], int(binary.BigEndian.Uint16(page[head+3:]))
	size := 8
	if kind == 5 {
		size = 12
	}
	if kind != 5 && kind != 13 || head+size+2*cells > f.usable {
		return fmt.Errorf("page %d: %w: no page of a table", number, ErrSQLite)
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(page[head+size+2*i:]))
		if at < head+size || at+4 > f.usable {
			return fmt.Errorf("page %d: %w: cell %d is outside", number, ErrSQLite, i)
		}
		if kind == 5 {
			err = f.walk(int(binary.BigEndian.Uint32(page[at:])), depth+1, seen, row)
		} else {
			err = f.cell(page[at:f.usable], row)
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", number, err)
		}
	}
	if kind == 5 {
		return f.walk(int(binary.BigEndian.Uint32(page[head+8:])), depth+1, seen, row)
	}
	return nil
}

// at returns a page; they are numbered from 1.
func (f *sqliteFile) at(number int) ([]byte, error) {
	if number < 1 || number > len(f.data)/f.page {
		return nil, fmt.Errorf("page %d: %w: not there", number, ErrSQLite)
	}
	return f.data[(number-1)*f.page : number*f.page], nil
}

// cell reads a leaf cell: the size of its content, its rowid, its content,
// and the first page of what does not fit [1.6].
func (f *sqliteFile) cell(b []byte, row func(sqliteRow) error) error {
	size, n := sqliteVarint(b)
	_, m := sqliteVarint(b[n:])
	if n == 0 || m == 0 || size > maxSQLiteRow {
		return fmt.Errorf("%w: a cell of %d bytes", ErrSQLite, size)
	}
	content, err := f.content(b[n+m:], int(size))
	if err != nil {
		return err
	}
	r, err := sqliteRecord(content)
	if err != nil {
		return err
	}
	return row(r)
}

// content returns the size bytes of a cell, with what is on overflow pages.
func (f *sqliteFile) content(b []byte, size int) ([]byte, error) {
	local, least := size, (f.usable-12)*32/255-23
	if size > f.usable-35 {
		if local = least + (size-least)%(f.usable-4); local > f.usable-35 {
			local = least
		}
	}
	if local > len(b) || size > local && local+4 > len(b) {
		return nil, fmt.Errorf("%w: a cell is cut off", ErrSQLite)
	}
	if size == local {
		return b[:local], nil
	}
	out := append(make([]byte, 0, size), b[:local]...)
	next := int(binary.BigEndian.Uint32(b[local:]))
	for len(out) < size {
		page, err := f.at(next)
		if err != nil {
			return nil, err
		}
		out = append(out, page[4:4+min(size-len(out), f.usable-4)]...)
		next = int(binary.BigEndian.Uint32(page))
	}
	return out, nil
}

// sqliteRecord reads the content of a row: the size of its header, the type
// of each column, the values [2.1].
func sqliteRecord(b []byte) (sqliteRow, error) {
	size, n := sqliteVarint(b)
	if n == 0 || size > uint64(len(b)) || size < uint64(n) {
		return nil, fmt.Errorf("%w: a row is cut off", ErrSQLite)
	}
	var r sqliteRow
	for head, body := b[n:size], b[size:]; len(head) > 0; {
		kind, n := sqliteVarint(head)
		if n == 0 {
			return nil, fmt.Errorf("%w: a row is cut off", ErrSQLite)
		}
		head = head[n:]
		length := sqliteLength(kind)
		if length > uint64(len(body)) {
			return nil, fmt.Errorf("%w: a row is cut off", ErrSQLite)
		}
		r = append(r, sqliteValue(kind, body[:length]))
		body = body[length:]
	}
	return r, nil
}

// sqliteLength returns how many bytes a value of the type has.
func sqliteLength(kind uint64) uint64 {
	switch {
	case kind >= 12:
		return (kind - 12) / 2
	case kind == 5:
		return 6
	case kind == 6, kind == 7:
		return 8
	case kind <= 4:
		return kind
	}
	return 0
}

func sqliteValue(kind uint64, b []byte) string {
	switch {
	case kind >= 12:
		return string(b)
	case kind == 8, kind == 9:
		return fmt.Sprint(kind - 8)
	case kind >= 1 && kind <= 6:
		v := int64(int8(b[0]))
		for _, c := range b[1:] {
			v = v<<8 | int64(c)
		}
		return fmt.Sprint(v)
	}
	return ""
}

// sqliteVarint reads a variable-length integer, of one to nine bytes, and
// returns its length, 0 if it is cut off.
func sqliteVarint(b []byte) (v uint64, n int) {
	for n < len(b) && n < 8 {
		v = v<<7 | uint64(b[n]&0x7f)
		if n++; b[n-1] < 0x80 {
			return v, n
		}
	}
	if n == 8 && n < len(b) {
		return min(v<<8|uint64(b[n]), math.MaxInt64), 9
	}
	return 0, 0
}
