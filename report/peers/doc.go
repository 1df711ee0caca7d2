// Package peers reads what report writes with the libraries of others: the
// reference reader of OpenVEX, and a SARIF library with OASIS's schema. It is a
// module of its own, so that none of them is a dependency of advdb, and has
// nothing but tests.
package peers
