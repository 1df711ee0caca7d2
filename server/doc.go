// Package server answers over HTTP as the OSV API does: /v1/query,
// /v1/querybatch and /v1/vulns/{id}, with its pages and its errors, so that
// clients of osv.dev work unchanged. Beside it stand /healthz, /readyz, which
// turns red when data are too old, and /metrics.
//
// The server follows the database: a new state is taken up with the next
// request, and the one before is closed when its last request is done. No
// request waits for that, and none is dropped.
//
// Where it differs from osv.dev: a version that the ecosystem's rule cannot
// read is neither affected nor safe; such records are not in "vulns", and the
// header Advdb-Unknown says how many there are. An ecosystem without its
// release ("Debian") means any release. Commits are not answered (501).
package server
