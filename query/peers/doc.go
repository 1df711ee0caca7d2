// Package peers holds advdb beside other scanners, on SBOMs of real packages
// and on the same records: what each finds, every difference a known one, and
// what it costs. It is a module of its own and has nothing but tests:
//
//	go test                                             every difference is a known one
//	go test -run TestScanner -report ../../docs/peers.md    the same, with costs, as a document
//
// The database is that of $ADVDB_BENCH_DB, or one made of the shared feeds.
package peers
