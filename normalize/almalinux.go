package normalize

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// AlmaLinux reads one record of github.com/AlmaLinux/osv-database: OSV without
// schema_version, whose CVEs stand in related. They are added to upstream,
// where a distribution's record names what it is about; related stays.
//
// The feed does not say the module stream, so that the streams of one module
// collide: one package several times, with several fixed versions. The entries
// are kept apart by the module's build, which the fixed version holds: it
// becomes ecosystem_specific.module_build.
func AlmaLinux(d Doc, emit func(*Record) error) error {
	return osvDocument(d, emit, mendAlmaLinux)
}

func mendAlmaLinux(_ Doc, r *Record) error {
	for _, id := range r.Related {
		if isCVE(id) && !slices.Contains(r.Upstream, id) {
			r.Upstream = append(r.Upstream, id)
		}
	}
	for i := range r.Affected {
		if err := r.Affected[i].nameModule(); err != nil {
			return err
		}
	}
	return nil
}

// nameModule notes the module build of an entry whose fixed versions all name
// the same one.
func (a *Affected) nameModule() error {
	build := ""
	for i := range a.Ranges {
		for j := range a.Ranges[i].Events {
			b := moduleBuild(a.Ranges[i].Events[j].Fixed)
			if b != "" && build != "" && b != build {
				return nil
			}
			build = max(build, b)
		}
	}
	if build == "" {
		return nil
	}
	v, err := json.Marshal(map[string]string{"module_build": build}, encodeOptions)
	if err != nil {
		return err
	}
	return uniteValue(&a.EcosystemSpecific, v)
}

// moduleBuild cuts the part of an RPM release that names the module build,
// "module_el8.6.0+2877+8e437bf5" or "module+el8.10.0+…", out of a version.
// Packages of one build share it; what follows a further dot is the
// package's own.
func moduleBuild(version string) string {
	i := strings.Index(version, ".module")
	if i < 0 {
		return ""
	}
	build := version[i+1:]
	plus := strings.LastIndexByte(build, '+')
	if plus < 0 {
		return build
	}
	if dot := strings.IndexByte(build[plus:], '.'); dot >= 0 {
		build = build[:plus+dot]
	}
	return build
}
