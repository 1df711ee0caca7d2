package normalize

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// RockyLinux reads one advisory of Rocky Linux's OSV (RLSA-, RXSA-): CVEs in
// related, and packages by the name of their source. The feed does not say the
// module stream; the build that the version names stands in for it, as with
// [AlmaLinux].
func RockyLinux(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, mendAlmaLinux)
}

// RedHatOSV reads one erratum of Red Hat's OSV (RHSA-, RHBA-, RHEA-): binary
// packages by product, and CVEs in related. Module streams are as with
// [AlmaLinux].
func RedHatOSV(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, mendAlmaLinux)
}

// suseID is what SUSE's advisories are called: SUSE-SU-2015:0011-2,
// openSUSE-SU-2016:1623-1, SUSE-RU-…; and not SUSE-SU-403, which a refused
// request once left in the feed.
var suseID = lazyregexp.New(`^(open)?SUSE-[A-Z]{2}-\d{4}:\d+-\d+$`)

// SUSEOSV reads one advisory of SUSE's OSV: packages by the name of their
// source, with the binaries in ecosystem_specific, CVEs in related, and purls
// that begin with "purl:" and part their qualifiers with "&" only, which are
// put right. An ID that is no advisory's is an error.
func SUSEOSV(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, func(_ Doc, r *Record) error {
		if !suseID.MatchString(r.ID) {
			return fmt.Errorf("%.80q is no advisory of SUSE's: %w", r.ID, ErrNoID)
		}
		for _, id := range r.Related {
			if isCVE(id) {
				r.Upstream = addOnce(r.Upstream, id)
			}
		}
		for i := range r.Affected {
			p := &r.Affected[i].Package
			p.Purl = susePurl(p.Purl)
		}
		return nil
	})
}

// susePurl makes "pkg:rpm/suse/name?distro=…" of "purl:rpm/suse/name&distro=…".
func susePurl(s string) string {
	rest, ok := strings.CutPrefix(s, "purl:")
	if !ok {
		return s
	}
	if !strings.Contains(rest, "?") {
		rest = strings.Replace(rest, "&", "?", 1)
	}
	if _, err := url.Parse(rest); err != nil {
		return ""
	}
	return "pkg:" + rest
}
