// Package server answers over HTTP as the OSV API does: /v1/query,
// /v1/querybatch and /v1/vulns/{id}, with its pages, its errors and those of
// the gateway before it, so that clients of osv.dev work unchanged. Beside it
// stand published snapshots (/repo/), /healthz, /readyz and /metrics, and pages
// for people, rendered here and without scripts.
//
// The server follows the database: a new state is taken up with the next
// request, and the one before is closed when its last request is done. No
// request waits for that, and none is dropped.
//
// Promises:
//
//   - An answer comes out of one whole state.
//   - What is sent has nothing that the OSV type does not define: official
//     clients refuse a record with an unknown member.
//   - What is wanted of memory and time is bounded: bodies, answers, requests at
//     a time and those that wait, and how long each may take. A panic is one
//     failed request.
//   - A page shows what records of strangers say as text, and loads nothing from
//     elsewhere. Its size is bounded, whatever it is about.
//   - /readyz is red, and names the reason, where there are no data or they are
//     too old.
//
// Where it differs from osv.dev: a version that the ecosystem's rule cannot
// read is neither affected nor safe; such records are not in "vulns", and the
// header Advdb-Unknown says how many there are. Advdb-Not-Covered names what
// nothing is held of. An ecosystem without its release means any release, with
// Alpine and Ubuntu too. Of commits, those are known that are events of a range.
// Ecosystems of advdb's own are no error.
package server
