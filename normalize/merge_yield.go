package normalize

import "slices"

// yields holds the sources that say less of a release than another of the same
// vendor: where the second speaks of an ecosystem, what the first says of it
// in the same record does not count. SUSE's OVAL has packages as affected, with
// no end, that its VEX calls fixed by now or out of scope.
var yields = map[string]string{"suse-oval": "suse-vex"}

// yield takes out of parts what does not count by the table yields. A part
// that is left with nothing stays, for its dates and references.
func yield(parts []Part) error {
	for i := range parts {
		to, ok := yields[parts[i].Source]
		if !ok {
			continue
		}
		for j := range parts {
			if parts[j].Source != to {
				continue
			}
			if err := parts[i].Record.withoutEcosystemsOf(parts[j].Record); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutEcosystemsOf drops from r what it says of ecosystems that other
// speaks of.
func (r *Record) withoutEcosystemsOf(other *Record) error {
	spoken := map[string]bool{}
	for i := range other.Affected {
		spoken[other.Affected[i].Package.Ecosystem] = true
	}
	theirs, err := other.Statements()
	if err != nil {
		return err
	}
	for _, s := range theirs {
		spoken[s.Ecosystem] = true
	}
	var suse struct {
		NotAffected map[string][]string `json:"not_affected"`
	}
	if _, err := other.Specific("suse", &suse); err != nil {
		return err
	}
	for eco := range suse.NotAffected {
		spoken[eco] = true
	}
	r.Affected = slices.DeleteFunc(r.Affected, func(a Affected) bool { return spoken[a.Package.Ecosystem] })
	ours, err := r.Statements()
	if err != nil || len(ours) == 0 {
		return err
	}
	return r.SetSpecific(map[string]any{"statements": slices.DeleteFunc(ours, func(s Statement) bool { return spoken[s.Ecosystem] })})
}
