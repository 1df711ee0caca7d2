// Package cpe reads CPE names and answers whether a product that a CPE names
// is affected by the configurations of an NVD record.
//
// [Parse] reads formatted strings of CPE 2.3 and URIs of CPE 2.2. [Decode]
// reads the member "configurations" of NVD's API 2.0, [Match] evaluates it
// with its AND, OR and negate for a product and the platforms it runs on, and
// [Products] says under which keys it is to be indexed.
//
// What the question leaves open is never guessed: a version that is not said,
// or that has no order, answers [Unknown]; a platform that is not said is
// assumed, and the assumption is part of the answer. Nothing here panics,
// whatever the string.
//
// Of the project's packages it imports versioncmp only, which orders the
// versions.
package cpe
