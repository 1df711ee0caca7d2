package sources

import "testing"

func TestOrigin(t *testing.T) {
	for _, x := range []struct{ name, state, url, commit string }{
		{"nothing fetched yet", ``, "", ""},
		{"one document", `{"validators":{"https://a.example/f.json":{"etag":"x","owner":"f.json"}}}`, "https://a.example/f.json", ""},
		{"an archive of a commit", `{"validators":{"https://a.example/m.tar.gz":{"commit":"5b9d30f8","owner":"/"}}}`, "https://a.example/m.tar.gz", "5b9d30f8"},
		{"beside a listing", `{"validators":{"https://a.example/list":{},"https://a.example/f":{"owner":"f"}}}`, "https://a.example/f", ""},
		{"two documents", `{"validators":{"https://a.example/a":{"owner":"a"},"https://a.example/b":{"owner":"b"}}}`, "", ""},
		{"no state", `{`, "", ""},
	} {
		if url, commit := Origin([]byte(x.state)); url != x.url || commit != x.commit {
			t.Errorf("%s: %q %q, want %q %q", x.name, url, commit, x.url, x.commit)
		}
	}
}
