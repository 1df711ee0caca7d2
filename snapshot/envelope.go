package snapshot

import (
	"bytes"
	"crypto"
	"fmt"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// An envelope is a DSSE envelope (https://github.com/secure-systems-lab/dsse,
// envelope.md and protocol.md, 1.0.2).
type envelope struct {
	PayloadType string              `json:"payloadType"`
	Payload     []byte              `json:"payload"` // base64
	Signatures  []envelopeSignature `json:"signatures"`
}

type envelopeSignature struct {
	KeyID string `json:"keyid"` // of TUF
	Sig   []byte `json:"sig"`   // base64
}

// signed is what is signed of a payload: DSSE's pre-authentication encoding.
func (e *envelope) signed() []byte {
	b := fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(e.PayloadType), e.PayloadType, len(e.Payload))
	return append(b, e.Payload...)
}

// sealEnvelope signs a payload.
func sealEnvelope(payloadType string, payload []byte, signers []signature.Signer) ([]byte, error) {
	e := &envelope{PayloadType: payloadType, Payload: payload}
	for _, s := range signers {
		pub, err := s.PublicKey()
		if err != nil {
			return nil, err
		}
		key, err := metadata.KeyFromPublicKey(pub)
		if err != nil {
			return nil, err
		}
		id, err := key.ID()
		if err != nil {
			return nil, err
		}
		sig, err := s.SignMessage(bytes.NewReader(e.signed()))
		if err != nil {
			return nil, err
		}
		e.Signatures = append(e.Signatures, envelopeSignature{id, sig})
	}
	return canonical(e)
}

// openEnvelope returns the payload of an envelope that enough of the keys of
// a role signed.
func openEnvelope(data []byte, payloadType string, role *metadata.DelegatedRole, keys map[string]*metadata.Key) ([]byte, error) {
	e := &envelope{}
	if err := decodeJSON(data, e); err != nil {
		return nil, fmt.Errorf("envelope: %w: %w", ErrManifest, err)
	}
	if e.PayloadType != payloadType {
		return nil, fmt.Errorf("envelope: %w: payload %.100q", ErrManifest, e.PayloadType)
	}
	good := map[string]bool{}
	for _, id := range role.KeyIDs {
		key := keys[id]
		if key == nil || good[id] {
			continue
		}
		pub, err := key.ToPublicKey()
		if err != nil {
			return nil, fmt.Errorf("envelope: key %s: %w: %w", id, ErrManifest, err)
		}
		v, err := signature.LoadVerifier(pub, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("envelope: key %s: %w: %w", id, ErrManifest, err)
		}
		for _, s := range e.Signatures {
			if s.KeyID == id && v.VerifySignature(bytes.NewReader(s.Sig), bytes.NewReader(e.signed())) == nil {
				good[id] = true
			}
		}
	}
	if len(good) < max(role.Threshold, 1) {
		return nil, fmt.Errorf("envelope: %d of %d keys of %s: %w", len(good), role.Threshold, role.Name, ErrSignature)
	}
	return e.Payload, nil
}
