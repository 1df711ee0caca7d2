// Package query answers what people ask of a state of the records: is a
// package at a version affected, a CPE, and what is known of an ID.
//
// "unknown" is an answer of its own: neither safe nor affected. An answer says
// whether the ecosystem asked about has any data at all, so that "nothing
// found" never means "had no data".
package query
