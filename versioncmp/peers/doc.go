// Package peers holds versioncmp beside the other Go libraries that order
// versions: what each answers on the same pairs, and how long it takes. It is
// a module of its own, so that none of them is a dependency of advdb, and has
// nothing but tests:
//
//	go test                                                       every difference is a known one
//	go test -run '^$' -bench .                                    parse, compare and key, side by side
//	go test -run TestTable -table ../../docs/versioncmp-benchmarks.md    the same as one table
package peers
