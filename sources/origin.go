package sources

// Origin returns where the documents of a source come from, given the state
// of its last fetch, where that is one place: the URL, and the Git commit that
// it said it was of. Both are empty where it is none or several.
func Origin(data []byte) (url, commit string) {
	var s state
	if s.decode(data) != nil {
		return "", ""
	}
	for u, v := range s.Validators {
		if v.Owner == "" {
			continue
		}
		if url != "" {
			return "", ""
		}
		url, commit = u, v.Commit
	}
	return url, commit
}
