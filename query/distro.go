package query

import (
	"strings"

	"github.com/advdb/advdb/normalize"
)

// A system is an operating system whose packages are in apk, deb, rpm, alpm or
// ebuild purls.
type system struct {
	ecosystem string
	// release turns the release as purls and os-release write it (lower case,
	// without the system's name) into the suffix of the ecosystem, "" where it
	// has none such; nil: there are no suffixes.
	release func(string) string
	// tags begin the parts of package versions that name a release (".el9",
	// "+deb12u1").
	tags []string
}

// systems is keyed by purl type and namespace: the ID of os-release, as syft
// and cdxgen write it, and the families of trivy.
var systems = map[string]system{
	"alpm/arch":               {"Arch Linux", nil, nil},
	"alpm/archlinux":          {"Arch Linux", nil, nil},
	"apk/alpaquita":           {"Alpaquita", asWritten, nil},
	"apk/alpine":              {"Alpine", alpineRelease, nil},
	"apk/bellsoft":            {"BellSoft Hardened Containers", asWritten, nil},
	"apk/chainguard":          {"Chainguard", nil, nil},
	"apk/cleanstart":          {"CleanStart", nil, nil},
	"apk/minimos":             {"MinimOS", nil, nil},
	"apk/wolfi":               {"Wolfi", nil, nil},
	"deb/debian":              {"Debian", debianRelease, []string{"+deb", "~deb", "~bpo"}},
	"deb/echo":                {"Echo", nil, nil},
	"deb/ubuntu":              {"Ubuntu", ubuntuRelease, nil},
	"ebuild/":                 {"Gentoo", nil, nil},
	"ebuild/gentoo":           {"Gentoo", nil, nil},
	"rpm/alma":                {"AlmaLinux", major, elTags},
	"rpm/almalinux":           {"AlmaLinux", major, elTags},
	"rpm/alt":                 {"ALT Linux", asWritten, nil},
	"rpm/altlinux":            {"ALT Linux", asWritten, nil},
	"rpm/amazon":              {"Amazon Linux", amazonRelease, []string{".amzn"}},
	"rpm/amazonlinux":         {"Amazon Linux", amazonRelease, []string{".amzn"}},
	"rpm/amzn":                {"Amazon Linux", amazonRelease, []string{".amzn"}},
	"rpm/azurelinux":          {"Azure Linux", major, []string{".azl", ".cm"}},
	"rpm/cbl-mariner":         {"Azure Linux", major, []string{".azl", ".cm"}},
	"rpm/centos":              {"Red Hat", redHatRelease, elTags},
	"rpm/epel":                {"EPEL", major, elTags},
	"rpm/fedora":              {"Fedora", major, []string{".fc"}},
	"rpm/mageia":              {"Mageia", major, []string{".mga"}},
	"rpm/mariner":             {"Azure Linux", major, []string{".azl", ".cm"}},
	"rpm/ol":                  {"Oracle Linux", major, elTags},
	"rpm/openeuler":           {"openEuler", openEulerRelease, []string{".oe"}},
	"rpm/opensuse":            {"openSUSE", leapRelease, nil},
	"rpm/opensuse-leap":       {"openSUSE", leapRelease, nil},
	"rpm/opensuse-tumbleweed": {"openSUSE", func(string) string { return "Tumbleweed" }, nil},
	"rpm/opensuse.leap":       {"openSUSE", leapRelease, nil},
	"rpm/opensuse.tumbleweed": {"openSUSE", func(string) string { return "Tumbleweed" }, nil},
	"rpm/oracle":              {"Oracle Linux", major, elTags},
	"rpm/oraclelinux":         {"Oracle Linux", major, elTags},
	"rpm/photon":              {"Photon OS", photonRelease, []string{".ph"}},
	"rpm/redhat":              {"Red Hat", redHatRelease, elTags},
	"rpm/rhel":                {"Red Hat", redHatRelease, elTags},
	"rpm/rocky":               {"Rocky Linux", major, elTags},
	"rpm/rocky-linux":         {"Rocky Linux", major, elTags},
	"rpm/rockylinux":          {"Rocky Linux", major, elTags},
	"rpm/sled":                {"SUSE", suseRelease, nil},
	"rpm/sles":                {"SUSE", suseRelease, nil},
	"rpm/suse":                {"SUSE", suseRelease, nil},
}

var elTags = []string{".el", "+el", "_el"}

// named returns the ecosystem of a package: with the release of the qualifier
// distro or, without that, of a tag in the package's version.
func (s system) named(distro, version string) string {
	if s.release == nil {
		return s.ecosystem
	}
	release := distroRelease(distro)
	if release == "" {
		release = taggedRelease(version, s.tags)
	}
	if release != "" {
		release = s.release(release)
	}
	if release == "" {
		return s.ecosystem
	}
	return s.ecosystem + ":" + release
}

// distroRelease cuts the system's name off a qualifier distro and puts the
// rest into lower case: "debian-12", "12", "bookworm", "debian-bookworm",
// "opensuse-leap-15.5", "openEuler-22.03-LTS-SP1", "el9", "amazon-2 (Karoo)".
func distroRelease(distro string) string {
	d, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(distro), "+", " "), "(")
	d = strings.TrimSpace(d)
	if strings.Contains(d, "tumbleweed") {
		return "tumbleweed"
	}
	for i := range len(d) {
		start := i == 0 || d[i-1] == '-' || d[i-1] == ' '
		digit := func(j int) bool { return j < len(d) && '0' <= d[j] && d[j] <= '9' }
		if start && (digit(i) || (d[i] == 'v' || d[i] == 'p') && digit(i+1)) {
			return d[i:]
		}
	}
	d = d[strings.LastIndexByte(d, '-')+1:]
	if n := strings.IndexAny(d, "0123456789"); n > 0 {
		d = d[n:] // el9, rhel9, fc40
	}
	return d
}

// taggedRelease is the number behind a tag in a version, "" without one.
func taggedRelease(version string, tags []string) string {
	for _, t := range tags {
		_, rest, ok := strings.Cut(version, t)
		if !ok {
			continue
		}
		n := 0
		for n < len(rest) && ('0' <= rest[n] && rest[n] <= '9' || t == ".oe" && rest[n] != '.') {
			n++
		}
		if n > 0 {
			return rest[:n]
		}
	}
	return ""
}

func asWritten(release string) string { return release }

func major(release string) string {
	m, _, _ := strings.Cut(strings.TrimPrefix(release, "v"), ".")
	m, _, _ = strings.Cut(m, "-")
	return m
}

// alpineRelease turns 3.17, v3.17 and 3.17.2 into v3.17, and what is built of
// the development branch (3.24.0_alpha20260127, 3.24_alpha…) into edge.
func alpineRelease(release string) string {
	if release == "edge" || strings.Contains(release, "_alpha") || release == "rolling" {
		return "edge"
	}
	n := strings.SplitN(strings.TrimPrefix(release, "v"), ".", 3)
	return "v" + strings.Join(n[:min(2, len(n))], ".")
}

// amazonRelease turns 2018.03, as the first Amazon Linux called itself, into
// 1, and the full number of a release of 2023 into 2023.
func amazonRelease(release string) string {
	year, _, dotted := strings.Cut(release, ".")
	if dotted && len(year) == 4 && year < "2022" {
		return "1"
	}
	return year
}

// leapRelease turns 15.3 into "Leap 15.3", and knows Tumbleweed.
func leapRelease(release string) string {
	if release == "tumbleweed" {
		return "Tumbleweed"
	}
	return "Leap " + release
}

// suseRelease turns 15.4, "15 sp4" and "15-sp4" into "Linux Enterprise Server
// 15 SP4"; [releases] knows the modules beside it.
func suseRelease(release string) string {
	m := strings.FieldsFunc(release, func(r rune) bool { return r == '.' || r == ' ' || r == '-' })
	if len(m) == 0 {
		return ""
	}
	name := "Linux Enterprise Server " + m[0]
	if len(m) > 1 && strings.TrimPrefix(m[1], "sp") != "0" {
		name += " SP" + strings.TrimPrefix(m[1], "sp")
	}
	return name
}

// debianRelease turns a codename, 11 and 11.7 into 11. Before Debian 7 a release
// is named by two numbers: squeeze, 6.0.10 and 6 are 6.0, 3.1r8 is 3.1.
func debianRelease(release string) string {
	switch release {
	case "unstable", "rolling":
		return "sid"
	case "testing", "stable", "oldstable":
		return "" // whatever that was on the day of the SBOM
	}
	if e, ok := normalize.DebianEcosystem(release); ok {
		return strings.TrimPrefix(e, "Debian:")
	}
	switch m := major(release); m {
	case "4", "5", "6":
		return m + ".0"
	case "1", "2", "3":
		if _, minor, ok := strings.Cut(release, "."); ok && minor != "" {
			return m + "." + minor[:1]
		}
		return "" // 3 is either of two
	default:
		return m
	}
}

// ubuntuRelease names a codename and 20.04 as OSV does: the releases of April
// of even years are LTS.
func ubuntuRelease(release string) string {
	if e, ok := normalize.UbuntuEcosystem(release); ok {
		return strings.TrimPrefix(e, "Ubuntu:")
	}
	if n := strings.SplitN(release, ".", 3); len(n) == 3 {
		release = n[0] + "." + n[1]
	}
	if len(release) == 5 && strings.HasSuffix(release, ".04") && (release[1]-'0')%2 == 0 {
		return release + ":LTS"
	}
	return release
}

// redHatRelease turns 9 and 9.2 into what CPEs call it.
func redHatRelease(release string) string { return "enterprise_linux:" + release }

// photonRelease turns 4 into 4.0.
func photonRelease(release string) string {
	if !strings.Contains(release, ".") {
		return release + ".0"
	}
	return release
}

// openEulerRelease writes "22.03-lts-sp1", and "2203sp1" as a package's
// version has it, as OSV does.
func openEulerRelease(release string) string {
	number, sp, _ := strings.Cut(release, "sp")
	number = strings.TrimRight(number, "-")
	number, lts := strings.CutSuffix(number, "-lts")
	if len(number) == 4 && !strings.Contains(number, ".") {
		number, lts = number[:2]+"."+number[2:], true
	}
	if !lts && sp == "" {
		return number // with any service pack: see releases
	}
	number += "-LTS"
	if sp != "" {
		number += "-SP" + sp
	}
	return number
}
