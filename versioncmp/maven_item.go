package versioncmp

import "cmp"

// mavenItems is how many items of a version are held without allocating.
const mavenItems = 10

type mavenKind uint8

const (
	mavenNumber      mavenKind = iota
	mavenString                // a qualifier
	mavenCombination           // a qualifier and the number behind it
	mavenList                  // all items behind it are in a list of their own
)

// A mavenItem is an item of a version: lists nest only at their end, so that a
// version is a flat sequence of items.
type mavenItem struct {
	kind   mavenKind
	rank   mavenRank
	text   string // of a qualifier, in the case that it was written in
	number string // digits, without leading zeros
}

// A mavenRank is the place of a qualifier among the known ones.
type mavenRank uint8

const (
	mavenAlpha mavenRank = iota
	mavenBeta
	mavenMilestone
	mavenRC
	mavenSnapshot
	mavenRelease // ga, final, release: the same as none
	mavenSP
	mavenUnknown // by their text
)

// mavenQualifier makes the item of a qualifier. a, b and m mean alpha, beta
// and milestone only where a number follows.
func mavenQualifier(kind mavenKind, text, number string) mavenItem {
	it := mavenItem{kind: kind, rank: mavenUnknown, text: text, number: number}
	if kind == mavenCombination && len(text) == 1 {
		switch toLower(text[0]) {
		case 'a':
			it.rank = mavenAlpha
		case 'b':
			it.rank = mavenBeta
		case 'm':
			it.rank = mavenMilestone
		}
		return it
	}
	for i := range mavenQualifiers {
		if q := &mavenQualifiers[i]; len(text) == len(q.text) && hasFold(text, 0, q.text) {
			it.rank = q.rank
			break
		}
	}
	return it
}

var mavenQualifiers = [...]struct {
	text string
	rank mavenRank
}{
	{"alpha", mavenAlpha}, {"beta", mavenBeta}, {"milestone", mavenMilestone}, {"rc", mavenRC},
	{"cr", mavenRC}, {"snapshot", mavenSnapshot}, {"ga", mavenRelease}, {"final", mavenRelease},
	{"release", mavenRelease}, {"sp", mavenSP},
}

// compare compares two items that are no lists.
func (x *mavenItem) compare(y *mavenItem) int {
	switch {
	case x.kind == mavenNumber && y.kind == mavenNumber:
		return compareDigits(x.number, y.number)
	case x.kind == mavenNumber:
		return 1
	case y.kind == mavenNumber:
		return -1
	}
	switch c := x.compareQualifier(y); {
	case c != 0:
		return c
	case x.kind == y.kind:
		return compareDigits(x.number, y.number)
	case x.kind == mavenString:
		return -1 // rc is below rc1
	}
	return 1
}

func (x *mavenItem) compareQualifier(y *mavenItem) int {
	if c := cmp.Compare(x.rank, y.rank); c != 0 || x.rank != mavenUnknown {
		return c
	}
	return compareFold(x.text, y.text)
}

// compareNull compares an item with a missing one. Of a combination only the
// qualifier counts, and a list itself is nothing: its items decide.
func (x *mavenItem) compareNull() int {
	switch {
	case x.kind == mavenList:
		return 0
	case x.kind != mavenNumber:
		return cmp.Compare(x.rank, mavenRelease)
	case x.number != "":
		return 1
	}
	return 0
}

// compareFold compares two texts with their ASCII letters in lower case.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(toLower(a[i]), toLower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
