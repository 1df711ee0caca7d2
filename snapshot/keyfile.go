package snapshot

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"golang.org/x/mod/sumdb/note"
)

// A keyFile is a key at rest: scrypt and NaCl's secretbox under a passphrase.
type keyFile struct {
	Format    string         `json:"format"`
	Role      string         `json:"role"`
	ID        string         `json:"id"`
	Encrypted jsontext.Value `json:"encrypted"`
}

const keyFormat = "advdb-key/1"

// keyCost is the price of trying a passphrase; zero is the library's standard.
type keyCost = encrypted.KDFParameterStrength

// newKey makes an Ed25519 key for a role, and writes it encrypted.
func (k *Keyring) newKey(role string) (KeyInfo, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return KeyInfo{}, err
	}
	key, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		return KeyInfo{}, err
	}
	id, err := key.ID()
	if err != nil {
		return KeyInfo{}, err
	}
	info := KeyInfo{ID: id, Public: hex.EncodeToString(public), File: role + "-" + id[:12] + ".key"}
	if err := k.seal(role, info, private.Seed()); err != nil {
		return info, err
	}
	k.cfg.Roles[role].Keys = append(k.cfg.Roles[role].Keys, info)
	return info, nil
}

func (k *Keyring) newLogKey() error {
	secret, vkey, err := note.GenerateKey(rand.Reader, k.cfg.Origin)
	if err != nil {
		return err
	}
	k.cfg.Log = KeyInfo{ID: vkey, Public: vkey, File: "log-" + hashOf([]byte(vkey)).String()[:12] + ".key"}
	return k.seal(RoleLog, k.cfg.Log, []byte(secret))
}

// seal writes a secret under the passphrase.
func (k *Keyring) seal(role string, info KeyInfo, secret []byte) error {
	pass, err := k.pass()
	if err != nil {
		return err
	}
	cost := k.cost
	if cost == 0 {
		cost = encrypted.Standard
	}
	box, err := encrypted.EncryptWithCustomKDFParameters(secret, pass, cost)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKeys, info.File, err)
	}
	data, err := json.Marshal(keyFile{keyFormat, role, info.ID, box}, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	k.stage(info.File, append(data, '\n'))
	return nil
}

// open reads the secret of a key, once.
func (k *Keyring) open(info KeyInfo) ([]byte, error) {
	if s := k.secrets[info.File]; s != nil {
		return s, nil
	}
	data, err := k.readFile(filepath.Base(info.File))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	var f keyFile
	if err := json.Unmarshal(data, &f); err != nil || f.Format != keyFormat || f.ID != info.ID {
		return nil, fmt.Errorf("%w: %s is no key, or another one", ErrKeys, info.File)
	}
	pass, err := k.pass()
	if err != nil {
		return nil, err
	}
	secret, err := encrypted.Decrypt(f.Encrypted, pass)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: wrong passphrase, or a damaged file", ErrKeys, info.File)
	}
	if k.secrets == nil {
		k.secrets = map[string][]byte{}
	}
	k.secrets[info.File] = secret
	return secret, nil
}
