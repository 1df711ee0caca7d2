// Package peers holds advdb beside other scanners, on SBOMs of real packages
// and on the same records: what each finds, every difference a known one, and
// what it costs. It is a module of its own and has nothing but tests:
//
//	go test                                     osv-scanner: every difference is a known one
//	go test -peers osv-scanner,grype,trivy      all of them; they take minutes to build
//	go test -peers osv-scanner,grype,trivy -timeout 60m -report ../../docs/peers.md    with costs, as a document
//
// The database is that of $ADVDB_BENCH_DB, or one made of the shared feeds.
package peers
