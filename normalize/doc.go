// Package normalize turns what upstreams publish into OSV records.
//
// A [Parser] reads one document, as its source served it, and emits what the
// document says about each ID. Parsers are pure: they use no network, clock,
// store or log, and they stream: no parser holds a whole feed.
//
// The package also holds the lean OSV [Record] and its codec, the ranges
// builder, the lint rules that every record is checked against, and the rules
// by which the parts of one ID, said by several documents or sources, are
// merged into one record.
package normalize
