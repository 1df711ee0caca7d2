// Package browser looks at the pages of package server in headless Chromium. It
// is a module of its own: what drives the browser is no dependency of advdb.
package browser
