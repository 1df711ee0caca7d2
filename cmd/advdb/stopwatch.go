package main

import (
	"fmt"
	"strings"
	"time"
)

// A stopwatch says how long the stages of a run took, and what they cost.
type stopwatch struct {
	start, last time.Time
	cpu         time.Duration
	stages      []string
}

func newStopwatch() *stopwatch {
	now := time.Now()
	return &stopwatch{start: now, last: now, cpu: cpuTime()}
}

// lap ends the stage named.
func (s *stopwatch) lap(stage string) {
	now, cpu := time.Now(), cpuTime()
	s.stages = append(s.stages, fmt.Sprintf("%s %.1f s (%.1f CPU)", stage, now.Sub(s.last).Seconds(), (cpu-s.cpu).Seconds()))
	s.last, s.cpu = now, cpu
}

// String sums up: the whole, then the stages.
func (s *stopwatch) String() string {
	return fmt.Sprintf("%.1f s: %s", time.Since(s.start).Seconds(), strings.Join(s.stages, ", "))
}
