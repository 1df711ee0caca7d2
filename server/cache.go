package server

import "sync"

// A generations is a cache of bounded size: what is used stays in the young
// generation; when that is full it becomes the old one, and what was in the
// old one and not asked for meanwhile is gone. It is safe for use by many
// goroutines.
type generations[K comparable, V any] struct {
	limit int // bytes of both generations

	mu    sync.RWMutex
	size  int // bytes of the young one
	young map[K]sized[V]
	old   map[K]sized[V]
}

type sized[V any] struct {
	value V
	size  int
}

// entryOverhead is about what a map needs for an entry beside key and value.
const entryOverhead = 64

func newGenerations[K comparable, V any](limit int) *generations[K, V] {
	return &generations[K, V]{limit: limit, young: map[K]sized[V]{}}
}

// get returns the value of key, and whether it is there.
func (g *generations[K, V]) get(key K) (V, bool) {
	g.mu.RLock()
	e, ok := g.young[key]
	if ok {
		g.mu.RUnlock()
		return e.value, true
	}
	e, ok = g.old[key]
	g.mu.RUnlock()
	if ok {
		g.put(key, e.value, e.size)
	}
	return e.value, ok
}

// put makes value the value of key; size is that of both in bytes. What is
// larger than an eighth of the cache is not kept.
func (g *generations[K, V]) put(key K, value V, size int) {
	total := size + entryOverhead
	if total > g.limit/8 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.young[key]; ok {
		return
	}
	if g.size+total > g.limit/2 {
		g.old, g.young, g.size = g.young, make(map[K]sized[V], len(g.young)), 0
	}
	g.young[key] = sized[V]{value, size}
	g.size += total
}
