package normalize

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// overlays holds the sources that correct what others say, by the member of
// database_specific and the member of it that theirs replaces. They do not
// speak of the vulnerability itself: one of their parts neither keeps a
// withdrawn record standing, nor one that all others stopped to publish.
var overlays = map[string][2]string{"nvd-overrides": {"nvd", "configurations"}}

// splitOverlays takes the parts of overlays out of parts. Where there are no
// others they stay: they are all that is known of the ID.
func splitOverlays(parts []Part) (base, over []Part) {
	for _, p := range parts {
		if _, ok := overlays[p.Source]; ok {
			over = append(over, p)
		} else {
			base = append(base, p)
		}
	}
	if len(base) == 0 {
		return over, nil
	}
	return base, over
}

// overlay merges the live parts of overlays into r, whose members they
// replace.
func (o *Origin) overlay(r *Record, over []Part) error {
	over, gone := live(over)
	if gone != "" {
		return nil
	}
	for of := range bySource(over) {
		member := overlays[of[0].Source]
		for _, p := range of {
			if err := replaceMember(r, p.Record, member[0], member[1]); err != nil {
				return err
			}
		}
		o.note("database_specific."+member[0]+"."+member[1], of[0].Source)
		if err := mergeSource(r, of, o); err != nil {
			return err
		}
	}
	return nil
}

// replaceMember sets the member name of database_specific.group in dst to
// that of src, if src has it.
func replaceMember(dst, src *Record, group, name string) error {
	var have, give map[string]jsontext.Value
	if ok, err := src.Specific(group, &give); err != nil || !ok || give[name] == nil {
		return err
	}
	if _, err := dst.Specific(group, &have); err != nil {
		return err
	}
	if have == nil {
		have = map[string]jsontext.Value{}
	}
	have[name] = give[name]
	b, err := json.Marshal(have, encodeOptions, json.Deterministic(true))
	if err != nil {
		return err
	}
	return dst.SetSpecific(map[string]any{group: jsontext.Value(b)})
}
