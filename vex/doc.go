// Package vex reads documents in which somebody who knows a product says of
// vulnerabilities that they do not affect it (OpenVEX, CycloneDX, CSAF), and
// applies them to what a scan found.
//
// What a statement suppresses is marked, with the reason, and never removed.
// A statement counts only where it is plain that it is about the very package
// and vulnerability: what cannot be told apart suppresses nothing.
package vex
