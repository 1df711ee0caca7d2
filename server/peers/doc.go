// Package peers has the clients of others ask the server: osv.dev's official
// Go client, osv-scanner, and Prometheus's own reader and linter of metrics.
// It is a module of its own, for their sake alone.
package peers
