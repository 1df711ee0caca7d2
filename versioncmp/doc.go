// Package versioncmp orders versions as each ecosystem's own tool does.
//
// [For] gives the [Scheme] of an ecosystem. A scheme turns a version into a
// byte key: bytes.Compare of two keys is the ecosystem's order. Only Maven's
// order, which is not transitive, has a coarse key and decides with a
// comparator of its own. A version that the rule calls invalid, and that its
// tool would refuse, has no key: that is an error, never a guess.
//
// Nothing here panics, whatever the string.
package versioncmp
