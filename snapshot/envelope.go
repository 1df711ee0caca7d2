package snapshot

import (
	"context"
	"crypto"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/sigstore/sigstore/pkg/signature"
	sigdsse "github.com/sigstore/sigstore/pkg/signature/dsse"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// sealEnvelope signs a payload as a DSSE envelope
// (https://github.com/secure-systems-lab/dsse). Keys are named by their TUF IDs.
func sealEnvelope(payloadType string, payload []byte, signers []signature.Signer) ([]byte, error) {
	var list []dsse.Signer
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
		list = append(list, &sigdsse.SignerAdapter{SignatureSigner: s, Pub: pub, PubKeyID: id})
	}
	es, err := dsse.NewEnvelopeSigner(list...)
	if err != nil {
		return nil, err
	}
	e, err := es.SignPayload(context.Background(), payloadType, payload)
	if err != nil {
		return nil, err
	}
	return canonical(e)
}

// openEnvelope returns the payload of an envelope that enough of the keys of
// a role signed.
func openEnvelope(data []byte, payloadType string, role *metadata.DelegatedRole, keys map[string]*metadata.Key) ([]byte, error) {
	e := &dsse.Envelope{}
	if err := decodeJSON(data, e); err != nil {
		return nil, fmt.Errorf("envelope: %w: %w", ErrManifest, err)
	}
	if e.PayloadType != payloadType {
		return nil, fmt.Errorf("envelope: %w: payload %.100q", ErrManifest, e.PayloadType)
	}
	var list []dsse.Verifier
	seen := map[string]bool{}
	for _, id := range role.KeyIDs {
		key := keys[id]
		if key == nil || seen[id] {
			continue
		}
		seen[id] = true
		pub, err := key.ToPublicKey()
		if err != nil {
			return nil, fmt.Errorf("envelope: key %s: %w: %w", id, ErrManifest, err)
		}
		v, err := signature.LoadVerifier(pub, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("envelope: key %s: %w: %w", id, ErrManifest, err)
		}
		list = append(list, &sigdsse.VerifierAdapter{SignatureVerifier: v, Pub: pub, PubKeyID: id})
	}
	ev, err := dsse.NewMultiEnvelopeVerifier(role.Threshold, list...)
	if err != nil {
		return nil, fmt.Errorf("envelope: %s: %w: %w", role.Name, ErrManifest, err)
	}
	_, payload, err := ev.VerifyAndDecode(context.Background(), e)
	if err != nil {
		return nil, fmt.Errorf("envelope: %s: %w: %w", role.Name, ErrSignature, err)
	}
	return payload, nil
}
