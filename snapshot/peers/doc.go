// Package peers holds what snapshot publishes beside programs of others that
// read it: the witness litewitness and the log client of filippo.io/torchwood,
// the Merkle proofs of transparency-dev/merkle, and the statements of
// in-toto/attestation. It is a module of its own, so that none of them is a
// dependency of advdb, and has nothing but tests:
//
//	go test          all of it; the first time builds litewitness, and with it SQLite
//	go test -short   a log of 20 releases instead of 200
package peers
