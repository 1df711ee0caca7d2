// Package sourcetest holds the promises that every source keeps, and checks
// them against a fixture: a small upstream in one file, the requests that a
// fetch of it makes, and the records that its documents become.
//
// A fixture is a txtar archive, testdata/fixtures/<source>.txtar, with files
//
//	upstream/<host>/<path>   what upstream serves
//	next/<host>/<path>       what it serves instead, the next time
//	next/gone                paths, one a line, that it has no more by then
//	tolerates                lines "FAULT PATTERN": faults in the answers of
//	                         URLs that match which need not be an error
//	requests, records, findings            what is expected
//	next-requests, next-records, next-findings
//
// A path with an element that ends in .tar.gz, .tgz, .tar.zst, .tar.bz2 or
// .zip, and with more behind it, is a member of that archive; an archive in
// next replaces the whole one. Other files whose name ends in .gz, .bz2 or
// .zst are compressed. The sha256 line of a .meta file is that of the .json.gz
// beside it, whatever the fixture says. What is expected is written by
// "go test ./sources -update".
package sourcetest
