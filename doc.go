// Package advdb is the root of a mirror of the world's security advisories.
// It holds no code: see README.md, docs/architecture.md and cmd/advdb.
package advdb
