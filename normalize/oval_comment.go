package normalize

import (
	"regexp"
	"strings"

	"github.com/advdb/advdb/internal/lazyregexp"
)

// The comments of criteria, as the RPM distributions' generators word them.
var (
	commentEarlier = lazyregexp.New(`^(\S+) is earlier than (\S+)$`)
	commentRelease = lazyregexp.New(`^(Oracle Linux) ([0-9.]+) is installed$`)
	commentArch    = lazyregexp.New(`^Oracle Linux arch is (\S+)$`)
	commentModule  = lazyregexp.New(`^Module ([^\s:]+):(\S+) is enabled$`)
	commentSigned  = lazyregexp.New(`^(\S+) is signed with .* key$`)
	commentKsplice = lazyregexp.New(`^(\S+) is ksplice-based$`)
)

// rpmComment makes the test that a comment describes. It knows the wordings
// of Oracle.
func rpmComment(s string) (ovalLeaf, bool) {
	s = strings.TrimSpace(s)
	test := func(name, field, operation, value string) (ovalLeaf, bool) {
		return ovalLeaf{kind: "rpminfo", names: []string{name}, conditions: []ovalCondition{{field, operation, value}}}, true
	}
	if m := commentEarlier.FindStringSubmatch(s); m != nil {
		return test(m[1], "evr", "less than", m[2])
	}
	if m := commentRelease.FindStringSubmatch(s); m != nil {
		return test(oracleRelease, "version", "pattern match", m[2])
	}
	if m := commentArch.FindStringSubmatch(s); m != nil {
		return test(oracleRelease, "arch", "pattern match", m[1])
	}
	if m := commentSigned.FindStringSubmatch(s); m != nil {
		return test(m[1], "signature_keyid", "equals", "")
	}
	if m := commentKsplice.FindStringSubmatch(s); m != nil {
		return test(m[1], "release", "pattern match", "ksplice")
	}
	if m := commentModule.FindStringSubmatch(s); m != nil {
		return ovalLeaf{kind: "textfilecontent54", path: "/etc/dnf/modules.d/" + m[1] + ".module",
			conditions: []ovalCondition{{"text", "pattern match", `stream\s*=\s*` + regexp.QuoteMeta(m[2])}}}, true
	}
	return ovalLeaf{}, false
}
