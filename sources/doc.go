// Package sources says where each advisory feed is and how to copy it.
//
// A [Source] is data: a fetcher × a format. A new feed is one element of the
// table in all.go and one fixture; only a feed with a protocol of its own
// gets one more file. Whatever is common to all (conditional requests, retry,
// rate, limits, archives, deletion, cursors, resuming) is [Mirror]'s.
package sources
