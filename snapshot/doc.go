// Package snapshot is the published form of a database: signed, numbered
// states of all records, with the deltas that lead to them.
//
// [Publish] writes a release into a repository, a tree of plain files that
// any carrier can hold; [Pull] makes a folder a replica of its newest release.
// docs/formats.md says exactly what the files are.
//
// Promises:
//
//   - A replica becomes the signed state or stays what it was. Files that
//     move it there are hints: each is checked by its own hash before it is
//     decompressed, and the state that they lead to by its signed root.
//   - Data, and what is trusted (keys, versions, checkpoint), change in one
//     rename. A replica never goes back to an older release, and never follows
//     a publisher who told somebody else another history.
//   - Authenticity never depends on a clock; only freshness does.
//   - The same records at the same time give the same bytes, whoever builds.
//   - Memory is bounded by the number of collections and the longest record.
package snapshot
