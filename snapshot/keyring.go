package snapshot

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"golang.org/x/mod/sumdb/note"
)

// Roles of a repository. Root and targets sign rarely, with keys that are
// kept offline; the others sign each release.
const (
	RoleRoot      = metadata.ROOT
	RoleTargets   = metadata.TARGETS
	RoleReleases  = "releases"
	RoleSnapshot  = metadata.SNAPSHOT
	RoleTimestamp = metadata.TIMESTAMP
	RoleLog       = "log"
)

// roleNames are the roles of TUF, in the order in which they are listed.
var roleNames = []string{RoleRoot, RoleTargets, RoleReleases, RoleSnapshot, RoleTimestamp}

// A Role says how a role signs.
type Role struct {
	Keys      []KeyInfo `json:"keys"`
	Threshold int       `json:"threshold"`
	Days      int       `json:"days"` // what it signs expires after so many
}

// A KeyInfo is the public part of a key.
type KeyInfo struct {
	ID     string `json:"id"`     // the TUF key ID; of the log its verifier key
	Public string `json:"public"` // hexadecimal; of the log its verifier key
	File   string `json:"file"`   // in the keys folder, encrypted
}

// defaultRoles are keys, threshold and days of each role.
var defaultRoles = map[string][3]int{
	RoleRoot: {3, 2, 730}, RoleTargets: {1, 1, 365}, RoleReleases: {1, 1, 30}, RoleSnapshot: {1, 1, 14}, RoleTimestamp: {1, 1, 7},
}

// A Keyring is a folder of keys, and the metadata that they signed offline.
type Keyring struct {
	dir  string
	cfg  keyringFile
	pass func() ([]byte, error)

	// Signer, if not nil, is asked for the signer of a key before the folder
	// is: for keys in an HSM or a key service. It returns nil for a key that
	// it does not have.
	Signer func(role string, key KeyInfo) (signature.Signer, error)

	cost    keyCost
	secrets map[string][]byte // those that were opened, by file

	read   []byte                  // keyring.json, of which cfg is
	staged map[string][]byte       // see commit
	fault  func(what string) error // for tests
}

// A keyringFile is keyring.json: nothing secret.
type keyringFile struct {
	Format string           `json:"format"`
	Origin string           `json:"origin"`
	Epoch  uint64           `json:"epoch"`
	Roles  map[string]*Role `json:"roles"`
	Log    KeyInfo          `json:"log"`
}

const (
	keyringFormat = "advdb-keys/1"
	keyringName   = "keyring.json"
)

// KeyringOptions are the options of [InitKeyring].
type KeyringOptions struct {
	Origin     string // names the publisher for ever, such as "advdb.example.org/main"
	Passphrase func() ([]byte, error)
	Now        time.Time
	Keys       map[string]int // keys a role; default 3 for root, 1 for others
	Threshold  map[string]int // default 2 for root, 1 for others

	cost  keyCost
	fault func(what string) error
}

// InitKeyring makes a folder of new keys, and the first root and targets.
func InitKeyring(dir string, opt KeyringOptions) (*Keyring, error) {
	if opt.Origin == "" || strings.ContainsAny(opt.Origin, " +\t\n\r\x00") || len(opt.Origin) > 100 {
		return nil, fmt.Errorf("%w: origin %q: a name without spaces and plus signs is needed", ErrKeys, opt.Origin)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tuf"), 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{keyringName, journalName, "tuf/1.root.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s already holds keys", ErrKeys, dir)
		}
	}
	k := &Keyring{dir: dir, pass: onceBytes(opt.Passphrase), cost: opt.cost, fault: opt.fault}
	unlock, err := k.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	k.cfg = keyringFile{Format: keyringFormat, Origin: opt.Origin, Epoch: 1, Roles: map[string]*Role{}}
	for _, name := range roleNames {
		d := defaultRoles[name]
		r := &Role{Threshold: d[1], Days: d[2]}
		n := d[0]
		if opt.Keys[name] > 0 {
			n = opt.Keys[name]
		}
		if opt.Threshold[name] > 0 {
			r.Threshold = opt.Threshold[name]
		}
		if r.Threshold > n {
			return nil, fmt.Errorf("%w: %s: %d of %d keys", ErrKeys, name, r.Threshold, n)
		}
		k.cfg.Roles[name] = r
		for range n {
			if _, err := k.newKey(name); err != nil {
				return nil, err
			}
		}
	}
	if err := k.newLogKey(); err != nil {
		return nil, err
	}
	k.stage("tuf/"+policyTarget, newPolicy(k.cfg.Log.Public))
	if err := errors.Join(k.signRoot(opt.Now, nil), k.signTargets(opt.Now)); err != nil {
		return nil, err
	}
	return k, k.save()
}

// OpenKeyring opens a folder of keys. The passphrase is asked for once, when
// the first key is needed. A change of the keys that was cut off is finished.
func OpenKeyring(dir string, passphrase func() ([]byte, error)) (*Keyring, error) {
	k := &Keyring{dir: dir, pass: onceBytes(passphrase)}
	if err := k.recover(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, keyringName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s holds no keys: run \"advdb keys init\" first", ErrKeys, dir)
	}
	if err != nil {
		return nil, err
	}
	k.read = data
	if err := json.Unmarshal(data, &k.cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", keyringName, err)
	}
	if k.cfg.Format != keyringFormat {
		return nil, fmt.Errorf("%w: format %q", ErrKeys, k.cfg.Format)
	}
	return k, nil
}

func onceBytes(f func() ([]byte, error)) func() ([]byte, error) {
	var b []byte
	return func() (_ []byte, err error) {
		if b == nil && f != nil {
			b, err = f()
		}
		if err == nil && len(b) == 0 {
			err = fmt.Errorf("%w: no passphrase", ErrKeys)
		}
		return b, err
	}
}

// Origin names the publisher.
func (k *Keyring) Origin() string { return k.cfg.Origin }

// Role returns how a role signs.
func (k *Keyring) Role(name string) Role { return *k.cfg.Roles[name] }

// Roles returns the names of the roles, in order.
func (k *Keyring) Roles() []string { return slices.Clone(roleNames) }

// LogKey is the verifier key of the log of releases.
func (k *Keyring) LogKey() string { return k.cfg.Log.Public }

// save makes the keyring what it is now, with all that was staged.
func (k *Keyring) save() error {
	data, err := json.Marshal(k.cfg, json.Deterministic(true), jsontext.Multiline(true))
	if err != nil {
		return err
	}
	data = append(data, '\n')
	k.stage(keyringName, data)
	if err := k.commit(); err != nil {
		return err
	}
	k.read = data
	return nil
}

func (k *Keyring) tufFile(format string, args ...any) ([]byte, error) {
	return k.readFile("tuf/" + fmt.Sprintf(format, args...))
}

// Root returns the newest root that the keys signed, and its version.
func (k *Keyring) Root() (data []byte, version int64, err error) {
	for {
		b, err := k.tufFile("%d.root.json", version+1)
		if errors.Is(err, fs.ErrNotExist) && version > 0 {
			return data, version, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrKeys, err)
		}
		data, version = b, version+1
	}
}

// FirstRoot returns root version 1: what clients are to be given once.
func (k *Keyring) FirstRoot() ([]byte, error) { return k.tufFile("1.root.json") }

// signers returns as many signers of a role as its threshold wants.
func (k *Keyring) signers(role string) ([]signature.Signer, error) {
	r := k.cfg.Roles[role]
	var list []signature.Signer
	var errs []error
	for _, info := range r.Keys {
		s, err := k.signer(role, info)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if list = append(list, s); len(list) == r.Threshold {
			return list, nil
		}
	}
	return nil, fmt.Errorf("%w: %s: %d of %d keys are here: %w", ErrKeys, role, len(list), r.Threshold, errors.Join(errs...))
}

func (k *Keyring) signer(role string, info KeyInfo) (signature.Signer, error) {
	if k.Signer != nil {
		if s, err := k.Signer(role, info); err != nil || s != nil {
			return s, err
		}
	}
	secret, err := k.open(info)
	if err != nil {
		return nil, err
	}
	if len(secret) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: %s: %d bytes", ErrKeys, info.File, len(secret))
	}
	return signature.LoadED25519Signer(ed25519.NewKeyFromSeed(secret))
}

// logSigner returns the signer of checkpoints.
func (k *Keyring) logSigner() (note.Signer, error) {
	secret, err := k.open(k.cfg.Log)
	if err != nil {
		return nil, err
	}
	return note.NewSigner(string(secret))
}
