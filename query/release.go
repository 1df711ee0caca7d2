package query

import (
	"strings"

	"github.com/advdb/advdb/store"
)

// releases returns the ecosystems of the state in which a question is to be
// asked: the one it names; of a name without a release, all its releases; of a
// release, also the parts of it (Ubuntu Pro, Red Hat's repositories, SUSE's
// modules).
//
// A part whose packages are builds of their own ([flavours]) is asked only
// where the question names it or the package's version says that it is such a
// build, and then alone; likewise the systems of vendors that patch others'
// packages ([patchers]).
func releases(db *store.DB, q *Question) ([]string, error) {
	all, err := db.Ecosystems()
	if err != nil {
		return nil, err
	}
	version := strings.ToLower(q.Version)
	if list := patched(all, q.Ecosystem, version); len(list) > 0 {
		return list, nil
	}
	var list, flavoured []string
	for _, e := range all {
		part, ok := partOf(e, q.Ecosystem)
		if !ok {
			continue
		}
		if mark, own := flavour(part); !own {
			list = append(list, e)
		} else if mark != "" && strings.Contains(version, mark) {
			flavoured = append(flavoured, e)
		}
	}
	if len(flavoured) > 0 {
		return flavoured, nil
	}
	return list, nil
}

// patchers are vendors whose packages carry their mark in the version.
var patchers = []struct{ mark, prefix string }{{"root.io", "Root:"}, {"tuxcare", "TuxCare:"}}

func patched(all []string, ecosystem, version string) (list []string) {
	for _, p := range patchers {
		if !strings.Contains(version, p.mark) {
			continue
		}
		for _, e := range all {
			if e == p.prefix+strings.TrimSuffix(ecosystem, ":LTS") {
				list = append(list, e)
			}
		}
	}
	return list
}

// flavours are parts of a release that build packages of their own, by a word
// in the ecosystem's name, and the mark in the versions of such builds; without
// one only a question that names the part asks it.
var flavours = []struct{ word, mark string }{
	{"ksplice", "ksplice"}, {"fips", "fips"}, {"realtime", ""}, {"nvidia", ""},
}

// flavour reports whether a part of a release has builds of its own, and what
// marks their versions.
func flavour(part string) (mark string, own bool) {
	part = strings.ToLower(part)
	for _, f := range flavours {
		if strings.Contains(part, f.word) {
			return f.mark, true
		}
	}
	return "", false
}

// partOf reports whether the ecosystem e is of the one asked about, and returns
// what e says more.
func partOf(e, asked string) (part string, ok bool) {
	if e == asked {
		return "", true
	}
	base, release, dated := strings.Cut(asked, ":")
	name, of, _ := strings.Cut(e, ":")
	if name != base {
		return "", false
	}
	if !dated {
		return of, true
	}
	switch base {
	case "Red Hat":
		return redHatPart(of, release)
	case "Ubuntu":
		return ubuntuPart(of, release)
	case "SUSE":
		return susePart(of, release)
	case "openSUSE":
		part, ok = strings.CutPrefix(of, release+" ")
		return part, ok
	case "openEuler":
		part, ok = strings.CutPrefix(of, release+"-LTS")
		return part, ok && !strings.Contains(release, "LTS")
	}
	part, ok = strings.CutPrefix(of, release+":")
	return part, ok
}

// redHatPart reports whether a product's CPE tail ("enterprise_linux:9::appstream",
// "rhel_eus:9.2::baseos") is of a release ("enterprise_linux:9.2"): the
// repositories of the major release and of the minor one, where it is said, and
// the extended support of that minor release.
func redHatPart(of, asked string) (string, bool) {
	product, release, ok := strings.Cut(asked, ":")
	name, rest, _ := strings.Cut(of, ":")
	if !ok || product != "enterprise_linux" || strings.Contains(release, ":") {
		part, ok := strings.CutPrefix(of, asked+":")
		return part, ok
	}
	has, part, _ := strings.Cut(rest, ":")
	number, _, minor := strings.Cut(release, ".")
	if name == product {
		return part, has == number || has == release || !minor && major(has) == number
	}
	if !strings.HasPrefix(name, "rhel_") || !minor || has != release {
		return "", false
	}
	switch name[len("rhel_"):] {
	case "eus", "aus", "tus", "e4s", "els", "eus_long_life":
		return part, true
	}
	return "", false
}

// ubuntuPart reports whether "Pro:22.04:LTS" is of "22.04:LTS" or "22.04".
func ubuntuPart(of, asked string) (string, bool) {
	short := strings.TrimSuffix(asked, ":LTS")
	of = strings.TrimSuffix(of, ":LTS")
	if of == short {
		return "", true
	}
	part, ok := strings.CutSuffix(of, ":"+short)
	return part, ok
}

// susePart reports whether a product is one that a server of a release ("Linux
// Enterprise Server 15 SP4") has: itself, under longer support too, and the
// modules of that release.
func susePart(of, asked string) (string, bool) {
	if part, ok := strings.CutPrefix(of, asked+"-"); ok {
		return part, true
	}
	release, server := strings.CutPrefix(asked, "Linux Enterprise Server ")
	if !server || !strings.HasPrefix(of, "Linux Enterprise Module for ") {
		return "", false
	}
	part, ok := strings.CutSuffix(of, " "+release)
	return part, ok
}
