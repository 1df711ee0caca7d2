// Package watch keeps an inventory of SBOMs and says what becomes of their
// findings when the database changes.
//
// Promises:
//
//   - Only components are matched again of which a changed record, or a changed
//     row of an enrichment table, may speak: what a pass costs goes with what
//     changed, not with the inventory.
//   - An event is kept until each receiver has taken it. Killed at any moment,
//     the next pass goes on; no event is lost, and one that was delivered but
//     not yet noted comes again under the same ID.
//   - EPSS scores move daily: only one that crosses a limit is a change.
package watch
