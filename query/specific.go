package query

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/advdb/advdb/normalize"
	"github.com/advdb/advdb/versioncmp"
	"github.com/go-json-experiment/json"
)

// A specific is what ecosystem_specific says of where an affected entry
// applies, as the formats of systems write it.
type specific struct {
	Arch        []string `json:"arch"`         // architectures for which it was built
	Module      string   `json:"module"`       // RPM module and stream
	ModuleBuild string   `json:"module_build"` // of a stream that is not said
	Slot        string   `json:"slot"`
	NotSlots    []string `json:"not_slots"`
	Repository  string   `json:"repository"`
}

// applies says whether an affected entry is about the package: Affected for
// yes, NotAffected for no, Unknown where the question says too little, with the
// reason.
func (q *Question) applies(a *normalize.Affected, summary string) (versioncmp.Verdict, string) {
	var s specific
	if len(a.EcosystemSpecific) == 0 || json.Unmarshal(a.EcosystemSpecific, &s) != nil {
		return versioncmp.Affected, ""
	}
	switch {
	case q.Arch != "" && len(s.Arch) > 0 && !slices.ContainsFunc(s.Arch, func(x string) bool { return sameArch(x, q.Arch) }),
		q.Repository != "" && s.Repository != "" && s.Repository != q.Repository,
		q.Slot != "" && s.Slot != "" && s.Slot != "*" && !sameSlot(s.Slot, q.Slot),
		q.Slot != "" && slices.ContainsFunc(s.NotSlots, func(x string) bool { return sameSlot(x, q.Slot) }):
		return versioncmp.NotAffected, ""
	case q.Slot == "" && (s.Slot != "" && s.Slot != "*" || len(s.NotSlots) > 0):
		return versioncmp.Unknown, "the record is about the slot " + s.Slot + ", and the package's is not said"
	}
	return q.inModule(&s, a, summary)
}

// streams are the module streams that an entry is of: the one it says or,
// where it does not, those in the record's summary ("Moderate: mariadb:10.3
// security update", as AlmaLinux and Rocky Linux write them).
func (s *specific) streams(summary string) []string {
	if s.Module != "" {
		return []string{cmp.Or(moduleStream(s.Module), s.Module)}
	}
	var list []string
	for _, word := range strings.Fields(summary) {
		if stream := moduleStream(strings.Trim(word, ",;()")); stream != "" && !strings.Contains(word, "://") {
			list = append(list, stream)
		}
	}
	return list
}

// inModule says whether an entry for a module's package is about the package.
// A package that is built in no module ("module" is in the release of all
// that are) is not of any stream; one of another stream has other versions,
// and comparing them says nothing.
func (q *Question) inModule(s *specific, a *normalize.Affected, summary string) (versioncmp.Verdict, string) {
	built := strings.Contains(q.Version, "module")
	streams := s.streams(summary)
	switch {
	case s.Module == "" && s.ModuleBuild == "":
		if q.Module != "" || built {
			return q.outsideModule(a)
		}
		return versioncmp.Affected, ""
	case q.Module == "" && !built:
		return versioncmp.NotAffected, ""
	case s.ModuleBuild != "" && strings.Contains(q.Version, s.ModuleBuild):
		return versioncmp.Affected, ""
	case len(streams) > 0 && q.Module != "":
		if slices.Contains(streams, q.Module) {
			return versioncmp.Affected, ""
		}
		return versioncmp.NotAffected, ""
	case sameUpstream(q.Version, a):
		return versioncmp.Affected, ""
	case q.Module != "":
		return byNumber(q.Version, []string{q.Module}, true, a, "the record does not say of which module stream it is")
	}
	return byNumber(q.Version, streams, false, a, "the package is of a module whose stream is not said (rpmmod)")
}

// byNumber tells by versions whether a package is of an entry's stream, where
// the streams of one of the two are known (ours: the package's): if a stream is
// a number with which the versions of its package begin, those of other streams
// do not. Elsewhere that is unknown, for the reason why.
func byNumber(version string, streams []string, ours bool, a *normalize.Affected, why string) (versioncmp.Verdict, string) {
	told := false
	for _, s := range streams {
		_, number, _ := strings.Cut(s, ":")
		if number == "" || strings.Trim(number, "0123456789.") != "" {
			continue
		}
		mine := beginsWith(upstreamOf(version), number)
		fixed := slices.ContainsFunc(fixEvents(a), func(f string) bool { return beginsWith(upstreamOf(f), number) })
		if mine && fixed {
			return versioncmp.Affected, ""
		}
		told = told || ours && mine || !ours && fixed
	}
	if told && len(fixEvents(a)) > 0 {
		return versioncmp.NotAffected, ""
	}
	return versioncmp.Unknown, why
}

// outsideModule judges a module's package by an entry that names no module:
// one whose versions are of modules speaks of it as far as it can be told, one
// without an end of all builds, any other of builds outside of modules.
func (q *Question) outsideModule(a *normalize.Affected) (versioncmp.Verdict, string) {
	for _, f := range fixEvents(a) {
		if !strings.Contains(f, "module") {
			return versioncmp.NotAffected, ""
		}
	}
	return versioncmp.Affected, ""
}

// sameUpstream reports whether an entry is fixed in a build of the very
// upstream version: two streams do not share one.
func sameUpstream(version string, a *normalize.Affected) bool {
	return slices.ContainsFunc(fixEvents(a), func(f string) bool { return upstreamOf(f) == upstreamOf(version) })
}

func fixEvents(a *normalize.Affected) (list []string) {
	for _, r := range a.Ranges {
		for _, e := range r.Events {
			if e.Fixed != "" && r.Type != normalize.Git {
				list = append(list, e.Fixed)
			}
		}
	}
	return list
}

// upstreamOf is an RPM's version without epoch and release.
func upstreamOf(evr string) string {
	if _, rest, ok := strings.Cut(evr, ":"); ok {
		evr = rest
	}
	v, _, _ := strings.Cut(evr, "-")
	return v
}

// beginsWith reports whether the numbers of a version begin with others.
func beginsWith(version, numbers string) bool {
	rest, ok := strings.CutPrefix(version, numbers)
	return ok && (rest == "" || rest[0] == '.')
}

// sameSlot compares slots without their sub-slots; "7*" is any that begins so.
func sameSlot(a, b string) bool {
	a, _, _ = strings.Cut(a, "/")
	b, _, _ = strings.Cut(b, "/")
	if stem, ok := strings.CutSuffix(a, "*"); ok {
		return strings.HasPrefix(b, stem)
	}
	return a == b
}

// archNames gives the names of one architecture in dpkg, apk, Gentoo and RPM
// one form.
var archNames = map[string]string{
	"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "i386": "x86", "i486": "x86", "i586": "x86", "i686": "x86",
	"athlon": "x86", "ppc64el": "ppc64le", "armv7hl": "armv7", "armhf": "armv7", "armv7l": "armv7", "armel": "arm",
}

// sameArch reports whether packages of an architecture are of another one too:
// those for any ("noarch", "all") and sources are of every one.
func sameArch(a, b string) bool {
	for _, x := range []string{a, b} {
		switch x {
		case "noarch", "all", "src", "nosrc", "source", "any", "*":
			return true
		}
	}
	form := func(s string) string {
		if f, ok := archNames[s]; ok {
			return f
		}
		return s
	}
	return form(a) == form(b)
}

// restricted reports whether a record may say of its entries where they apply:
// others need not be decoded.
func restricted(data []byte) bool { return bytes.Contains(data, []byte(`"ecosystem_specific"`)) }
