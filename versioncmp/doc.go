// Package versioncmp orders versions as each ecosystem's own tool does.
//
// [For] gives the [Scheme] of an ecosystem. A scheme turns a version into a
// byte key: bytes.Compare of two keys is the ecosystem's order. The orders
// of Maven, Arch Linux and Conan, which are not transitive, have a coarse key
// and decide with a comparator of their own where keys are equal. A branch of
// a Packagist package only has equality: see [Version.Ordered]. A version that
// the rule calls invalid, and that its tool would refuse, has no key: that is
// an error, never a guess.
//
// Nothing here panics, whatever the string.
package versioncmp
