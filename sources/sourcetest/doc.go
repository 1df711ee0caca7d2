// Package sourcetest holds the promises that every source keeps, and checks
// them against a fixture: a small upstream in one file, the requests that a
// fetch of it makes, and the records that its documents become.
//
// Fixtures are those of package fixture. What is expected is written by
// "go test ./sources -update".
package sourcetest
