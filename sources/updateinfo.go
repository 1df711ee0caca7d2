package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// A Repo is a repository of RPMs whose updateinfo becomes a document. One of
// List and Base is set.
type Repo struct {
	Name string // of the document
	List string // URL of a list of mirrors, one a line
	Base string // URL of the repository itself
}

// Updateinfo fetches the updateinfo of repositories: repodata/repomd.xml names
// the file and its checksum, which is compared, and which tells whether it
// changed. Mirrors are tried in the order of the list until one has repomd and
// the file that it names; where a mirror was renewed between the two, it is
// asked once more. A repository without updateinfo has no document.
//
// more, which may be nil, finds further repositories; those that it found
// earlier and does not any more keep their documents, as releases and topics
// leave a catalogue at their end of life.
func Updateinfo(repos []Repo, more *RepoCatalog) Fetch {
	return func(ctx context.Context, m *Mirror) error {
		u := &updateinfos{m: m}
		if err := m.Load(&u.cursor); err != nil {
			return err
		}
		if u.cursor.Repos == nil {
			u.cursor.Repos = map[string]repoState{}
		}
		return u.fetch(ctx, repos, more)
	}
}

// A RepoCatalog is a JSON list of topics, {"topics": [{"n": name}]}, each of
// which is a repository: Amazon Linux 2's extras.
type RepoCatalog struct {
	URL  string
	Name string // of a topic's document; "%s" is the topic
	List string // URL of its list of mirrors; "%s" is the topic
}

// updateinfos is an Updateinfo at work.
type updateinfos struct {
	m      *Mirror
	cursor struct {
		Topics []string             `json:"topics,omitempty"` // of the catalogue
		Repos  map[string]repoState `json:"repos,omitempty"`  // by document
	}
}

// A repoState is what is known of one repository.
type repoState struct {
	Mirrors []string `json:"mirrors,omitempty"` // of the list, in its order
	Repomd  string   `json:"repomd,omitempty"`  // URL of the repomd.xml that was read last
	Sum     string   `json:"sum,omitempty"`     // checksum of the file that is the document
}

func (u *updateinfos) fetch(ctx context.Context, repos []Repo, more *RepoCatalog) error {
	var errs []error
	found, err := u.topics(ctx, more)
	if err != nil {
		errs = append(errs, err)
	}
	for _, repo := range slices.Concat(repos, found) {
		err := u.repo(ctx, repo)
		if err == nil {
			err = u.m.Commit(ctx, u.cursor)
		}
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// topics asks the catalogue for its repositories, of which a failed request
// leaves those known.
func (u *updateinfos) topics(ctx context.Context, c *RepoCatalog) ([]Repo, error) {
	if c == nil {
		return nil, nil
	}
	err := u.askTopics(ctx, c.URL)
	var repos []Repo
	for _, topic := range u.cursor.Topics {
		repos = append(repos, Repo{Name: strings.ReplaceAll(c.Name, "%s", topic), List: strings.ReplaceAll(c.List, "%s", escape(topic))})
	}
	return repos, err
}

func (u *updateinfos) askTopics(ctx context.Context, address string) error {
	resp, err := u.m.Get(ctx, address)
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	var catalog struct {
		Topics []struct {
			Name string `json:"n"`
		} `json:"topics"`
	}
	if err := json.UnmarshalRead(&limited{r: resp, left: maxListing}, &catalog); err != nil {
		return located(address, fmt.Errorf("%w: %w", ErrIncomplete, err))
	}
	var topics []string
	for _, t := range catalog.Topics {
		if checkName(t.Name) == nil && !strings.Contains(t.Name, "/") {
			topics = append(topics, t.Name)
		}
	}
	if len(topics) == 0 {
		return located(address, fmt.Errorf("%w: the catalogue lists nothing", ErrIncomplete))
	}
	slices.Sort(topics)
	u.cursor.Topics = slices.Compact(topics)
	resp.Keep()
	return u.m.Commit(ctx, u.cursor)
}

// repo brings one repository's document up to date.
func (u *updateinfos) repo(ctx context.Context, repo Repo) error {
	state := u.cursor.Repos[repo.Name]
	list, err := u.mirrors(ctx, repo, &state)
	if err != nil {
		return prefixed(repo.Name, err)
	}
	var errs []error
	for _, base := range state.Mirrors {
		err := u.mirror(ctx, repo.Name, base, &state)
		if errors.Is(err, ErrChecksum) {
			u.m.Forget(repomdURL(base))
			err = u.mirror(ctx, repo.Name, base, &state)
		}
		if err == nil {
			u.cursor.Repos[repo.Name] = state
			if list != nil {
				list.Keep()
			}
			return nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return prefixed(repo.Name, errors.Join(errs...))
}

// mirrors sets state.Mirrors; the answer is to be kept when the repository is
// done, and is nil where nothing was transferred.
func (u *updateinfos) mirrors(ctx context.Context, repo Repo, state *repoState) (*Response, error) {
	if repo.List == "" {
		state.Mirrors = []string{repo.Base}
		return nil, nil
	}
	resp, err := u.m.Get(ctx, repo.List)
	if errors.Is(err, ErrUnchanged) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer resp.Close()
	text, err := io.ReadAll(&limited{r: resp, left: maxListing})
	if err != nil {
		return nil, located(repo.List, err)
	}
	state.Mirrors, err = readMirrors(string(text))
	return resp, located(repo.List, err)
}

// readMirrors reads a list of URLs, one a line. "$basearch" in them is x86_64.
func readMirrors(text string) ([]string, error) {
	var mirrors []string
	for line := range strings.Lines(text) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "$basearch", "x86_64")
		if line == "" {
			continue
		}
		u, err := url.Parse(line)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("%w: %.80q is no mirror", ErrIncomplete, line)
		}
		mirrors = append(mirrors, strings.TrimSuffix(line, "/"))
	}
	if len(mirrors) == 0 {
		return nil, fmt.Errorf("%w: no mirror", ErrIncomplete)
	}
	return mirrors, nil
}

func repomdURL(base string) string { return strings.TrimSuffix(base, "/") + "/repodata/repomd.xml" }

// mirror makes the document what the repository at base has.
func (u *updateinfos) mirror(ctx context.Context, name, base string, state *repoState) error {
	address := repomdURL(base)
	resp, err := u.m.Get(ctx, address)
	if errors.Is(err, ErrUnchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Close()
	file, err := readRepomd(resp, "updateinfo")
	if err != nil {
		return located(address, err)
	}
	if file.href != "" && (file.sum != state.Sum || u.m.opt.Force) {
		if err := u.file(ctx, name, strings.TrimSuffix(base, "/")+"/"+escape(file.href), file); err != nil {
			return err
		}
		state.Sum = file.sum
	}
	if state.Repomd != "" && state.Repomd != address {
		u.m.Forget(state.Repomd)
	}
	state.Repomd = address
	resp.Keep()
	return nil
}

// file makes the document what address serves, which must have file's checksum.
func (u *updateinfos) file(ctx context.Context, name, address string, file repoFile) error {
	resp, err := u.m.open(ctx, request{url: address, always: true, raw: true})
	if err != nil {
		return err
	}
	defer resp.Close()
	whole := &ended{r: file.verified(resp)}
	plain, err := decompress(compression(address), whole)
	if err != nil {
		return located(address, err)
	}
	if c, ok := plain.(closer); ok {
		defer c.Close()
	}
	return located(address, u.m.Put(name, &drained{plain, whole}))
}

// drained yields what r does; at its end the rest of whole is read, where the
// checksum is compared.
type drained struct {
	r     io.Reader
	whole *ended
}

func (d *drained) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err == io.EOF {
		if derr := d.whole.drain(); derr != nil {
			return 0, derr
		}
	}
	return n, err
}
