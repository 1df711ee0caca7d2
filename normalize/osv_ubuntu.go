package normalize

import "strings"

// UbuntuOSV reads one record of Ubuntu's OSV: UBUNTU-CVE-, USN- and LSN-. The
// ecosystem's variants have been written in two orders, which scanners would
// take for two systems: they are put into the later one, the variant before
// the release ([ubuntuEcosystem]). Of a severity that is there twice one stays.
func UbuntuOSV(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, func(_ Doc, r *Record) error {
		for i := range r.Affected {
			p := &r.Affected[i].Package
			p.Ecosystem = ubuntuEcosystem(p.Ecosystem)
		}
		r.Severity = setFunc(r.Severity, compareSeverities)
		return nil
	})
}

// ubuntuEcosystem turns "Ubuntu:22.04:LTS:for:NVIDIA:BlueField" into
// "Ubuntu:Nvidia-BlueField:22.04:LTS" and "Ubuntu:Pro:24.04:LTS:Realtime:Kernel"
// into "Ubuntu:Pro:Realtime:24.04:LTS".
func ubuntuEcosystem(s string) string {
	if rest, ok := strings.CutSuffix(s, ":for:NVIDIA:BlueField"); ok {
		return strings.Replace(rest, "Ubuntu:", "Ubuntu:Nvidia-BlueField:", 1)
	}
	if rest, ok := strings.CutSuffix(s, ":Realtime:Kernel"); ok {
		return strings.Replace(rest, "Ubuntu:Pro:", "Ubuntu:Pro:Realtime:", 1)
	}
	return s
}
