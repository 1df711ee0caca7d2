// Package report writes what a scan found in forms of others: SARIF 2.1.0,
// CycloneDX 1.6 and OpenVEX 0.2.0.
//
// Each form has everything that was found. What a VEX statement suppresses is
// in it as suppressed; what could not be decided as such. The same report makes
// the same bytes.
package report
