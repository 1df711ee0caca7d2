// Package store keeps documents, parts and records in two bbolt files of one
// folder; nothing else in advdb touches bbolt.
//
//   - work.db, only where feeds are synced: documents as upstream served them
//     (zstd), the parts that they were parsed into, and fetch state. Its file
//     lock makes a folder have one writer at a time.
//   - advdb.db, the same on publisher and replica: records, their indexes, the
//     enrichment tables, and the number of the state it stands for.
//
// Promises:
//
//   - A reader never waits for a writer and never sees a half-made state: a
//     new advdb.db is written beside the old one, synced, and swapped in by a
//     rename; the one before is kept as advdb.db.prev.
//   - Killed at any moment, the next start finds the last whole state and goes
//     on: what was fetched is kept, what was not yet parsed or merged is due.
//   - The unit of change is the document. What counts is the content of its
//     parts: bytes that change without meaning change no record.
//   - A record that loses its last part becomes withdrawn and stays.
//   - Memory is bounded: what must be sorted is sorted in runs on disk.
package store
